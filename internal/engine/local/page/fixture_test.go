package page

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

var steps = json.RawMessage(`{"schema":1,"strategy":"canary","steps":[{"weight":5},{"weight":25},{"weight":50},{"weight":90}],"later":true}`)

// busy is an endpoint in the middle of a rollout.
func busy() Endpoint {
	return Endpoint{
		ID: "local/here/penguins", URL: "http://127.0.0.1:41873", Ready: true,
		Stable:    Revision{Digest: sha("3f2a"), Model: sha("9b1c"), Requests: 1204817, Bad: 2411},
		Candidate: Revision{Digest: sha("c07d"), Model: sha("51ee"), Requests: 3812, Bad: 6},
		Weight:    25, ReplicasReady: 2, Replicas: 2,
		Record: rollout.Record{
			Phase: rollout.Observing, Policy: steps, Step: 1, Weight: 25, Approved: 25,
			Runner: "terraform on tern (pid 4711)", Renewed: at(6, 41),
			Verdicts: []gate.Verdict{{
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
			}},
			History: []rollout.Entry{
				{At: at(0, 12), Phase: rollout.Preparing, Weight: 0, Sentence: "The candidate starts; users stay on the stable revision."},
				{At: at(0, 15), Phase: rollout.Observing, Weight: 5, Sentence: "The candidate is ready and gets 5% of the traffic."},
				{At: at(4, 2), Phase: rollout.Observing, Weight: 25, Sentence: "The gate errors passed at 5%: 1 of 702 requests failed, 25% is approved."},
			},
		},
	}
}

// rolledBack is an endpoint whose last candidate was caught.
func rolledBack() Endpoint {
	reason := "The gate errors failed: 9 of 24 requests failed on the candidate (37.5%), 1 of 451 on the stable revision (0.22%). Harm of this size by chance is rarer than 1 in 200."
	return Endpoint{
		ID: "local/here/whales", URL: "http://127.0.0.1:41874", Ready: true,
		Stable: Revision{Digest: sha("77aa"), Model: sha("08fe"), Requests: 60211, Bad: 130}, ReplicasReady: 1, Replicas: 1,
		Record: rollout.Record{
			Phase: rollout.RolledBack, Policy: steps, Runner: "terraform on tern (pid 5120)", Renewed: at(8, 31),
			Failure: &rollout.Failure{Kind: "gate", Gate: "errors", Rejected: true, Reason: reason, At: at(8, 31)},
			Verdicts: []gate.Verdict{{
				Gate: "errors", Outcome: gate.Fail, Harm: 81422.7, HarmNeeded: 200, Pass: 0.0001, PassNeeded: 80, Margin: gate.MarginFor(25), Sentence: reason,
			}},
			History: []rollout.Entry{
				{At: at(8, 20), Phase: rollout.Preparing, Weight: 0, Sentence: "The candidate starts; users stay on the stable revision."},
				{At: at(8, 25), Phase: rollout.Observing, Weight: 5, Sentence: "The candidate is ready and gets 5% of the traffic."},
				{At: at(8, 31), Phase: rollout.RolledBack, Weight: 0, Sentence: reason},
			},
		},
		Rejected: []endpoint.Rejection{
			{Revision: sha("d00d"), Model: sha("bad0"), Gate: "errors", Reason: reason, At: at(8, 31)},
			{Revision: sha("dead"), Model: sha("beef"), Gate: "candidate", Reason: "The candidate was not ready within 30s.", At: at(2, 3)},
		},
	}
}

// held is an endpoint whose router does not do as it was told.
func held() Endpoint {
	wrong := "612 of 5,000 clients went to the candidate (12%), and it should be 5%: the router does not do as it was told."
	return Endpoint{
		ID: "local/here/seals", URL: "http://127.0.0.1:41876", Ready: true,
		Stable:    Revision{Digest: sha("1e4f"), Model: sha("a0a1"), Requests: 88012, Bad: 90},
		Candidate: Revision{Digest: sha("2b3c"), Model: sha("a2a3"), Requests: 1480, Bad: 1},
		Weight:    5, ReplicasReady: 1, Replicas: 1,
		Record: rollout.Record{
			Phase: rollout.Holding, Policy: steps, Step: 0, Weight: 5, Approved: 5, Hold: wrong,
			Runner: "terraform on tern (pid 6001)", Renewed: at(9, 12),
			Verdicts: []gate.Verdict{{
				Gate: "errors", Outcome: gate.Wait, Harm: .9, HarmNeeded: 100, Pass: 3.1, PassNeeded: 20, Margin: gate.MarginFor(25),
				Rates:    gate.Rates{Candidate: gate.Interval{Estimate: .00068, Low: .00001, High: .0062}, Stable: gate.Interval{Estimate: .00102, Low: .0007, High: .0014}},
				Sentence: "1 of 1,480 requests failed on the candidate (0.07%), 90 of 88,012 on stable (0.1%): not enough to tell yet.",
			}, {
				Gate: "split", Outcome: gate.Wait, Harm: 812000, HarmNeeded: 4000, Pass: 1, PassNeeded: 1, Sentence: wrong,
			}},
			History: []rollout.Entry{
				{At: at(8, 55), Phase: rollout.Preparing, Weight: 0, Sentence: "The candidate starts; users stay on the stable revision."},
				{At: at(9, 2), Phase: rollout.Holding, Weight: 5, Sentence: "The weight is held at 5%: " + wrong},
			},
		},
	}
}

// down is an endpoint that never had a rollout and does not answer.
func down() Endpoint {
	return Endpoint{
		ID: "local/here/otters", URL: "http://127.0.0.1:41875",
		Problem: "The model server ended with exit status 2, 3 times in a row: open model.json: no such file or directory.",
		Stable:  Revision{Digest: sha("0a0b"), Model: sha("0c0d")}, Replicas: 1,
	}
}

// waiting is an endpoint whose rollout needs a person's word.
func waiting() Endpoint {
	e := busy()
	e.ID, e.URL = "local/here/terns", "http://127.0.0.1:41877"
	e.Record.Phase, e.Record.AwaitingSince = rollout.AwaitingApproval, at(7, 2)
	e.Record.Verdicts = e.Record.Verdicts[:1]
	e.Record.History = append(e.Record.History, rollout.Entry{At: at(7, 2), Phase: rollout.AwaitingApproval, Weight: 25,
		Sentence: "The gates pass at 25%: 6 of 3,812 requests failed on it at 25%. Going on needs an approval, within 1d."})
	return e
}

// approved is the same endpoint a moment later.
func approved() Endpoint {
	e := waiting()
	e.ID, e.URL = "local/here/auks", "http://127.0.0.1:41878"
	e.Record.Approval = &rollout.Approval{By: "alice", How: "user id 1000 of tern, by its operating system", At: at(7, 30)}
	e.Record.History = append(e.Record.History, rollout.Entry{At: at(7, 30), Phase: rollout.AwaitingApproval, Weight: 25,
		Sentence: "alice (user id 1000 of tern, by its operating system) approves going on from 25%."})
	return e
}

// stagedOne is an endpoint whose candidate waits for a runner.
func stagedOne() Endpoint {
	return Endpoint{
		ID: "local/here/puffins", URL: "http://127.0.0.1:41879", Ready: true,
		Stable:    Revision{Digest: sha("5a5b"), Model: sha("c1c2"), Requests: 120, Bad: 0},
		Candidate: Revision{Digest: sha("6a6b"), Model: sha("c3c4")}, ReplicasReady: 1, Replicas: 1,
		Record: rollout.Record{
			Phase: rollout.Preparing, Staged: true, Policy: steps, Ready: at(1, 5),
			History: []rollout.Entry{
				{At: at(1, 2), Phase: rollout.Preparing, Sentence: "The candidate starts; users stay on the stable revision."},
				{At: at(1, 5), Phase: rollout.Preparing, Sentence: "The candidate can serve."},
			},
		},
	}
}

// promoted is an endpoint that can still go back.
func promoted() Endpoint {
	return Endpoint{
		ID: "local/here/gulls", URL: "http://127.0.0.1:41880", Ready: true,
		Stable: Revision{Digest: sha("8a8b"), Model: sha("e1e2"), Requests: 90311, Bad: 12}, ReplicasReady: 1, Replicas: 1,
		Previous: &endpoint.Previous{Revision: endpoint.Revision{Digest: sha("7a7b"), Model: sha("e3e4")},
			Model: endpoint.Model{URI: "file://models/gulls-v1.json"}, Until: at(39, 0)},
		Record: rollout.Record{
			Phase: rollout.Promoted, Policy: steps, Weight: 100, Approved: 100,
			History: []rollout.Entry{{At: at(9, 0), Phase: rollout.Promoted, Weight: 100, Sentence: "The candidate is promoted after 8m."}},
		},
	}
}

func all() Snapshot {
	return Snapshot{Version: "0.1.0", DataDir: "/srv/models/.tidegate", Endpoints: []Endpoint{busy(), rolledBack(), held(), down(), waiting(), approved(), stagedOne(), promoted()}}
}
