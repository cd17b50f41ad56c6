// Package modelcheck proves the invariants S1 to S9 of docs/guides/gates.md on rollout's own
// code: it visits every state that two runners, an engine, a person, a store and their faults can get
// into, within bounds, and calls the real rollout.Next wherever one of them decides.
//
// What is real, and what is a model:
//
//   - Next, the policy and the records are the real ones.
//   - Run's protocol (load, claim, count, save, reload, last words) is a model, because real
//     goroutines cannot be put back to an earlier state a million times. That the model is
//     faithful is tested by itself: the real Run is driven in lockstep with it, and every call
//     it makes, with every record it saves, has to be a step of the model.
//   - People approve, reject and cancel by Tell's protocol, a model in lockstep with the real Tell.
//   - The store is the contract of rollout.Store and no more: a compare-and-swap of one object.
//     A write is carried out, refused, carried out without an answer, carried out late, or twice.
//   - A lease may be taken for expired at any time, a runner may die and start anew at any
//     time, and clocks may differ. Time is a counter of a few ticks.
//   - Users' requests come as windows that pass, fail or decide nothing, or do not come, in any
//     order. Which of them a record has taken in is noted beside it, so that none counts twice
//     unseen.
//
// The search is breadth-first and complete for its bounds: the first violation that it finds
// has a shortest transcript. All of it is test code; this file is what there is to import.
package modelcheck
