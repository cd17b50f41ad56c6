// Package runtest runs rendered workflows on this machine as a runner of GitHub does, from a push to a promoted model: act, a
// GitHub of the test's own, a real OCI registry, real Terraform, the embedded engine under traffic. It holds tests alone.
//
// Stand-ins are only for what a workflow installs: setup actions find on this machine what the test put there, or nothing.
package runtest
