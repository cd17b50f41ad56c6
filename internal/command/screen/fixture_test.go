package screen

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

func sha(digits string) string { return "sha256:" + strings.Repeat(digits, 64/len(digits)) }

func at(minute, second int) time.Time { return time.Date(2026, 11, 24, 9, minute, second, 0, time.UTC) }

func policy() json.RawMessage {
	p := rollout.DefaultPolicy()
	p.Steps = []rollout.Step{{Weight: 5}, {Weight: 25}, {Weight: 50, Approval: true}, {Weight: 90}}
	p.SkipLeading = false
	return json.RawMessage(p.JSON())
}

func candidate() *endpoint.Candidate {
	return &endpoint.Candidate{Revision: endpoint.Revision{Digest: sha("c07d"), Model: sha("51ee")}}
}

func serving(name string) endpoint.Status {
	return endpoint.Status{URL: "http://127.0.0.1:41873", Ready: true, Stable: endpoint.Revision{Digest: sha("3f2a"), Model: sha("9b1c")},
		Spec: endpoint.Spec{Cluster: "here", Name: name}}
}

func verdicts() []gate.Verdict {
	return []gate.Verdict{{
		Gate: "errors", Outcome: gate.Pass, Harm: 1.31, HarmNeeded: 160, Pass: 34.2, PassNeeded: 20, Margin: gate.MarginFor(50),
		Rates:    gate.Rates{Candidate: gate.Interval{Estimate: .00157, Low: .00051, High: .0041}, Stable: gate.Interval{Estimate: .002, Low: .00186, High: .00215}},
		Sentence: "6 of 3,812 requests failed on the candidate (0.16%), 2,411 of 1,204,817 on stable (0.20%): less than 2 times worse, or under 0.5%.",
	}, {
		Gate: "latency", Outcome: gate.Wait, Harm: 21.7, HarmNeeded: 266.67, Pass: 0.04, PassNeeded: 20, Margin: gate.Margin{Ratio: 2, Floor: .01}, Edge: .28,
		Rates:    gate.Rates{Candidate: gate.Interval{Estimate: .182, Low: .153, High: .214}, Stable: gate.Interval{Estimate: .112, Low: .111, High: .113}},
		Sentence: "18% of 3,806 answers took longer than 280 ms on the candidate, 11% of 1,202,406 on stable: the candidate looks slower, but that is not certain yet.",
	}, {
		Gate: "split", Outcome: gate.Pass, Harm: .31, HarmNeeded: 4000, Pass: 1, PassNeeded: 1,
		Sentence: "3,110 of 12,401 requests went to the candidate (25%), as told: 25%.",
	}}
}

var beginning = []rollout.Entry{
	{At: at(0, 12), Phase: rollout.Preparing, Weight: 0, Sentence: "Candidate c07dc07dc07d starts. All traffic stays with 3f2a3f2a3f2a."},
	{At: at(0, 15), Phase: rollout.Observing, Weight: 5, Sentence: "5% of traffic goes to the candidate, the first of 4 steps."},
}

// drive is a record in mid-rollout.
func drive(phase rollout.Phase, step, weight int) rollout.Record {
	return rollout.Record{Schema: rollout.Schema, Phase: phase, Policy: policy(), Step: step, Weight: weight, Approved: weight, Epoch: 1,
		Began: at(0, 12), Took: at(0, 13), Renewed: at(6, 41), Runner: "terraform on tern (pid 4711)", Verdicts: verdicts(), History: beginning}
}

func ended(phase rollout.Phase, weight int, sentence string) rollout.Record {
	r := drive(phase, 3, weight)
	r.History = append(r.History[:2:2], rollout.Entry{At: at(8, 31), Phase: phase, Weight: weight, Sentence: sentence})
	return r
}

// fixtures are endpoints in every phase.
func fixtures() map[string]Endpoint {
	all := map[string]Endpoint{}
	add := func(name string, r rollout.Record, change func(*Endpoint)) {
		e := Endpoint{ID: "local/here/" + name, Status: serving(name), Record: r}
		if !r.Phase.Final() {
			e.Status.Candidate = candidate()
		}
		if change != nil {
			change(&e)
		}
		all[name] = e
	}
	add("none", rollout.Record{}, nil)
	staged := rollout.Record{Phase: rollout.Preparing, Policy: policy(), Staged: true, Began: at(0, 12), History: beginning[:1]}
	add("staged", staged, nil)
	starting := drive(rollout.Preparing, 0, 0)
	starting.Verdicts, starting.History = nil, beginning[:1]
	add("preparing", starting, nil)
	add("observing", drive(rollout.Observing, 1, 25), nil)
	left := drive(rollout.Observing, 1, 25)
	left.Runner = ""
	add("left", left, nil)
	held := drive(rollout.Holding, 0, 5)
	held.Hold = "612 of 5,000 clients went to the candidate (12%), and it should be 5%: the router does not do as it was told."
	held.Verdicts = []gate.Verdict{{Gate: "split", Outcome: gate.Wait, Harm: 812000, HarmNeeded: 4000, Pass: 1, PassNeeded: 1, Sentence: held.Hold}}
	add("held", held, nil)
	blind := drive(rollout.Holding, 0, 5)
	blind.HeldSince, blind.Verdicts = at(6, 2), nil
	add("blind", blind, nil)
	waits := drive(rollout.AwaitingApproval, 2, 50)
	waits.AwaitingSince = at(6, 1)
	add("awaiting", waits, nil)
	waits.Approval = &rollout.Approval{By: "ada", How: "user id 1000 of tern, by its operating system", At: at(6, 40)}
	add("approved", waits, nil)
	add("promoted", ended(rollout.Promoted, 100, "Promoted: c07dc07dc07d has all traffic."), func(e *Endpoint) {
		e.Status.Previous = &endpoint.Previous{Revision: endpoint.Revision{Digest: sha("3f2a")}, Until: at(38, 31)}
		e.Status.Stable.Digest = sha("c07d")
	})
	reason := "9 of 24 requests failed on the candidate (38%), 1 of 451 on stable (0.2%): the candidate is worse, the evidence is over a million to 1 (160 to 1 needed)."
	back := ended(rollout.RolledBack, 0, "Rolled back, all traffic goes to 3f2a3f2a3f2a. "+reason)
	back.Step = 1
	back.Failure = &rollout.Failure{Kind: rollout.KindGate, Gate: "errors", Rejected: true, Reason: reason, At: at(8, 31)}
	back.Verdicts = []gate.Verdict{{Gate: "errors", Outcome: gate.Fail, Harm: 8.1e6, HarmNeeded: 160, Pass: .0001, PassNeeded: 20, Margin: gate.MarginFor(50), Sentence: reason,
		Rates: gate.Rates{Candidate: gate.Interval{Estimate: .375, Low: .17, High: .63}, Stable: gate.Interval{Estimate: .0022, Low: .0001, High: .016}}}}
	add("rolled-back", back, func(e *Endpoint) {
		e.Status.Rejected = []endpoint.Rejection{{Revision: sha("c07d"), Gate: "errors", Reason: reason, At: at(8, 31)},
			{Revision: sha("dead"), Gate: "candidate", Reason: "The candidate was not ready within 30s.", At: time.Date(2026, 10, 2, 3, 4, 5, 0, time.UTC)}}
	})
	add("down", rollout.Record{}, func(e *Endpoint) {
		e.Status.Ready = false
		e.Status.Problem = "The model server ended with exit status 2, 3 times in a row: open model.json: no such file or directory."
	})
	return all
}
