// Package simulate asks what a rule for canaries would do: the real gates and the real
// rollout.Next, and beside them the rules of other tools, each on a virtual clock under the same
// traffic.
//
//	s := simulate.Default()                     // or Parse a file
//	r, err := simulate.Run(ctx, s, simulate.Options{Runs: 1000, Seed: 1})
//	r.Table(os.Stdout)
//
// A Scenario says how a service fares: requests a second, a share of bad answers that drifts and
// jumps in incidents, how long answers take, who the clients are, and what is different about the
// candidate. A Rule says by which weights a candidate gets traffic and when that ends. One run is
// the weather of a service, drawn once, and every rule's rollout in it.
//
// What is drawn: requests arrive by Poisson's law, each goes to the candidate by the rule's
// weight of the moment, each fails by the share of its arm at that moment. The laws are exact
// (sampler.go). Where clients are given, requests belong to clients, clients stay with their arm
// as weights rise, and only some clients ever see errors.
//
// Equal seeds give equal results, however many workers there are.
package simulate
