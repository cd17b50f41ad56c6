package githubhub

import "time"

// A Fault is something that goes wrong with requests of the API.
type Fault struct {
	// Operation is GitHub's name of it ("issues/create-comment"); a star at its end stands for any end; "": all.
	Operation string
	Writes    bool // only requests that change something: no GET
	Skip      int  // so many of such requests go well first
	Times     int  // so many go wrong then; 0: all
	// Outage makes everything go wrong from the first such request on, reads and other operations too, until Heal: with Skip 3
	// and Writes, the API is down after three writes.
	Outage bool
	// Applied carries the request out before it goes wrong: GitHub did it, the client does not know.
	Applied bool

	// One of these is how. With Delay alone the request is slow and goes well.
	Status    int  // this status, with GitHub's words for it: 403, 404, 429, 500, 502, 503
	Cut       bool // half of an answer, then the connection ends; always Applied
	Drop      bool // the connection ends without an answer; Go itself repeats a GET on a connection that was used before
	Empty     bool // a list comes empty, as for a moment after a change that GitHub has not everywhere yet
	Secondary bool // 403 with the secondary rate limit's words and, unless 0, RetryAfter
	Primary   bool // 403 with x-ratelimit-remaining: 0 and a reset after RetryAfter

	Delay      time.Duration
	RetryAfter time.Duration // in whole seconds
}

// Fail makes requests go wrong from now on. Faults add up; the first that fits acts.
func (h *Hub) Fail(f Fault) {
	h.t.Helper()
	h.call("fault", f, nil)
}

// PushBefore has somebody else push a commit right before a request of an operation is carried out, once, after skip of them
// went by: "git/update-ref" then finds that the branch moved since it was read.
func (r *Repository) PushBefore(operation string, skip int, c Commit) {
	r.hub.t.Helper()
	input := struct {
		Repo string
		Commit
	}{r.FullName, c}
	r.hub.call("meanwhile", map[string]any{"operation": operation, "skip": skip, "what": "push", "input": input}, nil)
}

// Heal ends all faults.
func (h *Hub) Heal() {
	h.t.Helper()
	h.call("heal", nil, nil)
}

// SetQuota sets how many requests a token has left in this hour. At 0 the next is refused as GitHub does it.
func (h *Hub) SetQuota(secret string, remaining int, reset time.Duration) {
	h.t.Helper()
	h.call("quota", map[string]any{"secret": secret, "remaining": remaining, "reset_seconds": int(reset / time.Second)}, nil)
}

// Quota says how many requests a token has left.
func (h *Hub) Quota(secret string) int {
	h.t.Helper()
	var out struct{ Remaining int }
	h.call("get-quota", map[string]string{"secret": secret}, &out)
	return out.Remaining
}
