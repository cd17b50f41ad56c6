package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// explain says in sentences what a change of one of Tidegate's own resources means for traffic.
func explain(kind string, action Action, before, after side) []string {
	switch kind {
	case "tidegate_model_endpoint":
		return explainEndpoint(action, before, after)
	case "tidegate_rollout_policy":
		return explainPolicy(action, before, after)
	case "tidegate_cluster":
		return explainCluster(action, before, after)
	}
	return nil
}

func explainEndpoint(action Action, before, after side) []string {
	name := endpointName(before, after)
	switch action {
	case Create:
		out := []string{fmt.Sprintf("Endpoint %s comes up and serves %s at once: there is nothing to compare it with.", name, modelOf(after))}
		return append(out, later(after)...)
	case Delete:
		return []string{fmt.Sprintf("Endpoint %s, which serves %s, goes away: its users get no more answers.", name, modelOf(before))}
	case Replace:
		return []string{fmt.Sprintf("Endpoint %s is taken down and made anew with %s: its users get no answers in between, and no gate is asked.", name, modelOf(after))}
	case Forget:
		return []string{fmt.Sprintf("Endpoint %s goes on serving %s; this configuration no longer knows it.", name, modelOf(before))}
	case Update:
	default:
		return nil
	}
	return explainUpdate(name, before, after)
}

func explainUpdate(name said, before, after side) []string {
	was, is := before.text("revision"), after.text("revision")
	if was.kind == Known && is.kind == Known && was.text == is.text {
		out := []string{fmt.Sprintf("Endpoint %s goes on serving %s; its settings change in place.", name, modelOf(before))}
		if before.text("rollout", "policy") != after.text("rollout", "policy") {
			out = append(out, later(after)...)
		}
		return out
	}
	goes := fmt.Sprintf("Endpoint %s goes from %s to %s.", name, modelOf(before), modelOf(after))
	if modelOf(before) == modelOf(after) {
		goes = fmt.Sprintf("Endpoint %s keeps %s and gets another runtime.", name, modelOf(after))
	}
	if is.kind == Unknown {
		goes += " Its bytes are known only during apply; if they are those that serve, nothing is rolled out."
	}
	out := []string{goes}
	if p, err := policyOf(after); err == nil {
		out = append(out, steps(p))
	} else {
		out = append(out, "By which steps cannot be told: "+err.Error()+".")
	}
	out = append(out, driven(after))
	return append(out, rejections(before, after)...)
}

// later says what a change of the model would go through.
func later(after side) []string {
	p, err := policyOf(after)
	if err != nil {
		return nil
	}
	return []string{"Another model will have to pass: " + steps(p)}
}

// driven says who drives a rollout.
func driven(after side) string {
	switch run := after.text("rollout", "run"); {
	case run.kind == Known && run.text == "staged":
		return "Staged: apply brings the candidate up without traffic, and a promotion drives the rollout."
	case run.kind == Unknown:
		return "Whether apply drives the rollout or only stages it is known only during apply."
	}
	return "Inline: apply drives the rollout, and fails if the candidate is rolled back."
}

// steps says by which shares of traffic and gates a candidate becomes stable.
func steps(p rollout.Policy) string {
	var weights, gates []string
	for _, s := range p.Steps {
		w := fmt.Sprintf("%d%%", s.Weight)
		if s.Approval {
			w += " (then an approval)"
		}
		weights = append(weights, w)
	}
	if p.Gates.Errors != nil {
		gates = append(gates, "errors")
	}
	if p.Gates.Latency != nil {
		gates = append(gates, "latency")
	}
	judged := "gates " + strings.Join(gates, " and ")
	if len(gates) == 1 {
		judged = "gate " + gates[0]
	}
	if len(weights) == 0 {
		return fmt.Sprintf("No step of traffic on trial; %s.", judged)
	}
	return fmt.Sprintf("Steps: %s, then all traffic. %s at each step, at most %s in all.",
		strings.Join(weights, ", "), strings.ToUpper(judged[:1])+judged[1:], brief(p.Longest()))
}

// brief writes a duration without zeros behind it.
func brief(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// rejections says which digests an earlier rollout turned away, and whether the planned one is among them.
func rejections(before, after side) []string {
	list := before.member("rejected")
	digest, retry := after.text("revision"), after.text("rollout", "retry")
	var out []string
	for i := range list.length() {
		one := list.at(i)
		revision, model, reason := one.text("revision"), one.text("model_digest"), one.text("reason")
		if revision.kind != Known {
			continue
		}
		if digest.kind == Known && digest.text == revision.text && retry == one.text("retry") {
			out = append(out, fmt.Sprintf("This very revision was rejected (%s): %s Apply will refuse it. Set rollout.retry to another text to try it again.",
				short(model.text), sentence(reason.text)))
			continue
		}
		out = append(out, fmt.Sprintf("Rejected before: %s. %s", short(model.text), sentence(reason.text)))
	}
	return out
}

func explainPolicy(action Action, _, after side) []string {
	if action != Create && action != Update && action != Replace {
		return nil
	}
	at := after.text("json")
	if at.kind != Known {
		return nil
	}
	p, err := rollout.ParsePolicy([]byte(at.text))
	if err != nil {
		return nil // the provider says it better
	}
	return []string{"Endpoints with this policy change models so: " + steps(p) + " A rollout that is under way keeps its own."}
}

func explainCluster(action Action, before, after side) []string {
	name := before.text("name")
	switch action {
	case Create:
		return []string{fmt.Sprintf("Cluster %s comes up.", after.text("name"))}
	case Delete:
		return []string{fmt.Sprintf("Cluster %s goes away; it must not have endpoints any more.", name)}
	case Replace:
		return []string{fmt.Sprintf("Cluster %s is taken down and made anew; it must not have endpoints meanwhile.", name)}
	case Forget:
		return []string{fmt.Sprintf("Cluster %s goes on running; this configuration no longer knows it.", name)}
	case Update, Read, NoOp:
	}
	return nil
}

// A said is a text in a resource, as far as it may be told.
type said struct {
	kind Kind
	text string
}

func (s said) String() string {
	switch s.kind {
	case Known:
		return s.text
	case Unknown:
		return "(known after apply)"
	case Sensitive:
		return "(sensitive)"
	case Absent:
	}
	return "(none)"
}

// text is the text at a place in a resource.
func (s side) text(at ...string) said {
	for _, name := range at {
		if s.sensitive == true || s.unknown == true {
			break
		}
		s = s.member(name)
	}
	switch value, ok := s.value.(string); {
	case s.unknown == true:
		return said{kind: Unknown}
	case s.value == nil:
		return said{}
	case s.sensitive == true, !ok, leaks(value):
		return said{kind: Sensitive}
	default:
		return said{Known, value}
	}
}

func endpointName(before, after side) said {
	if name := after.text("name"); name.kind == Known {
		return name
	}
	return before.text("name")
}

// modelOf names a model by its reference and digest.
func modelOf(s side) string {
	uri, digest := s.text("model", "uri"), s.text("model_digest")
	if digest.kind != Known {
		return uri.String()
	}
	return fmt.Sprintf("%s (%s)", uri, short(digest.text))
}

// short is a digest as people compare it.
func short(digest string) string {
	const enough = len("sha256:") + 12
	if strings.HasPrefix(digest, "sha256:") && len(digest) > enough {
		return digest[:enough]
	}
	return digest
}

// sentence ends with a full stop.
func sentence(s string) string {
	if s = strings.TrimSpace(s); s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

func policyOf(s side) (rollout.Policy, error) {
	at := s.text("rollout", "policy")
	switch at.kind {
	case Known:
		if !json.Valid([]byte(at.text)) {
			return rollout.Policy{}, errors.New("its policy is no JSON")
		}
		return rollout.ParsePolicy([]byte(at.text))
	case Unknown:
		return rollout.Policy{}, errors.New("its policy is known only during apply")
	case Absent, Sensitive:
	}
	return rollout.Policy{}, errors.New("its policy is not in the plan")
}
