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
				Gate: "errors", Outcome: gate.Wait, Harm: 1.31, HarmNeeded: 200, Pass: 14.2, PassNeeded: 80, Margin: gate.MarginFor(50),
				Sentence: "6 of 3,812 requests failed on the candidate (0.16%), 2,411 of 1,204,817 on the stable revision (0.20%): no sign of harm, not yet enough to be sure.",
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

// down is an endpoint that never had a rollout and does not answer.
func down() Endpoint {
	return Endpoint{
		ID: "local/here/otters", URL: "http://127.0.0.1:41875",
		Problem: "The model server ended with exit status 2, 3 times in a row: open model.json: no such file or directory.",
		Stable:  Revision{Digest: sha("0a0b"), Model: sha("0c0d")}, Replicas: 1,
	}
}

func all() Snapshot {
	return Snapshot{Version: "0.1.0", DataDir: "/srv/models/.tidegate", Endpoints: []Endpoint{busy(), rolledBack(), down()}}
}
