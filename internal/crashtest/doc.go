// Package crashtest kills real processes in the middle of what they do, and compares how it ends.
//
// It holds tests alone. They build the program with the tag failpoints and let real Terraform, the provider, the engine
// and model servers go through an endpoint's life: created, taken to a better model, refused a broken one, taken to a
// third by tidegate promote, destroyed. One undisturbed life tells at which points a process can die (internal/failpoint) and how each stage ends. Then every point
// is one at which a process does die, by SIGKILL; the user applies again, and the ending has to be the same.
//
// The roles are those that the undisturbed life shows: another one needs a chapter that starts it, and nothing else.
package crashtest
