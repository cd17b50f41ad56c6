package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A Rule says when a candidate gets how much traffic.
type Rule interface {
	Name() string
	// Start begins a trial. What the rule itself leaves to chance comes from r.
	Start(r *rand.Rand) Trial
}

// A Trial is one rollout under a rule, on a clock that its windows drive.
type Trial interface {
	// Weight is the candidate's share of traffic now, in percent.
	Weight() int
	// See takes in a window.
	See(w Seen)
	// End says how it ended, "" while it goes on, and why.
	End() (End, string)
	// Alarm is how far a rollback has come, to 1; below 0 it is farther off than at the beginning.
	Alarm() float64
}

// An End of a rollout.
type End string

// The ends. Where a horizon passes first, a rollout is inconclusive too.
const (
	Promoted     End = "promoted"
	RolledBack   End = "rolled back"
	Inconclusive End = "inconclusive"
)

// A RuleSpec is a rule as a scenario writes it: a preset's name, or a name and exactly one of the
// tools with its settings.
type RuleSpec struct {
	Name     string          `json:"name"`
	Tidegate json.RawMessage `json:"tidegate"` // a policy: a preset's name or its JSON
	Argo     *Argo           `json:"argo"`
	Flagger  *Flagger        `json:"flagger"`
	Kayenta  *Kayenta        `json:"kayenta"`
}

func (s *RuleSpec) setName(name string) { s.Name = name }

// rules returns what the scenario compares.
func (s Scenario) rules() ([]Rule, error) {
	var rules []Rule
	var bad []error
	seen := map[string]bool{}
	for i, spec := range s.Rules {
		path := fmt.Sprintf("rules[%d]", i)
		rule, err := s.rule(spec)
		switch {
		case err != nil:
			bad = append(bad, at(path, "%w", err))
		case seen[rule.Name()]:
			bad = append(bad, at(path+".name", "%q: is there twice", rule.Name()))
		default:
			seen[rule.Name()] = true
			rules = append(rules, rule)
		}
	}
	return rules, errors.Join(bad...)
}

func (s Scenario) rule(spec RuleSpec) (Rule, error) {
	var rules []Rule
	if spec.Tidegate != nil {
		r, err := newTidegate(spec.Name, spec.Tidegate, s)
		if err != nil {
			return nil, at("tidegate", "%w", err)
		}
		rules = append(rules, r)
	}
	if spec.Argo != nil {
		rules = append(rules, argoRule{spec.Name, *spec.Argo})
	}
	if spec.Flagger != nil {
		rules = append(rules, flaggerRule{spec.Name, *spec.Flagger})
	}
	if spec.Kayenta != nil {
		rules = append(rules, kayentaRule{spec.Name, *spec.Kayenta})
	}
	switch len(rules) {
	case 0:
		return s.preset(spec.Name)
	case 1:
		if spec.Name == "" {
			return nil, errors.New("name: is missing: the table needs one")
		}
		if c, ok := rules[0].(interface{ validate() error }); ok {
			return rules[0], c.validate()
		}
		return rules[0], nil
	}
	return nil, errors.New("is several rules at once: want one of tidegate, argo, flagger, kayenta")
}

// preset returns a rule by its name alone.
func (s Scenario) preset(name string) (Rule, error) {
	if name == "tidegate" {
		r, err := newTidegate(name, s.Policy, s)
		if err != nil {
			return nil, at("policy", "%w", err)
		}
		return r, nil
	}
	for _, p := range presets {
		if p.Name() == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("name: %q: want one of %s, or a rule with settings", name, strings.Join(Rules(), ", "))
}

// presets are other tools' rules with their defaults or as their documents' examples have them.
var presets = []Rule{
	argoRule{"argo", argoBackground()},
	argoRule{"argo-step", argoStep()},
	argoRule{"argo-strict", argoStrict()},
	flaggerRule{"flagger", Flagger{
		// docs/gitbook/usage/how-it-works.md and metrics.md of Flagger (read at commit 061c179): the first example.
		Interval: minutes(1), Threshold: 10, MaxWeight: 50, StepWeight: 5, SuccessRate: 99, Duration: Duration(500 * time.Millisecond)}},
	flaggerRule{"flagger-tutorial", Flagger{
		// docs/gitbook/tutorials/istio-progressive-delivery.md (128c883).
		Interval: minutes(1), Threshold: 5, MaxWeight: 50, StepWeight: 10, SuccessRate: 99, Duration: Duration(500 * time.Millisecond)}},
	flaggerRule{"flagger-default", Flagger{
		// pkg/apis/flagger/v1beta1/canary.go (013949a): interval 60 s, threshold 1; maxWeight 100 by
		// pkg/controller/scheduler.go. stepWeight has no default: 10, the tutorial's.
		Interval: minutes(1), Threshold: 1, MaxWeight: 100, StepWeight: 10, SuccessRate: 99, Duration: Duration(500 * time.Millisecond)}},
	kayentaRule{"kayenta", Kayenta{
		// spinnaker.io/docs/guides/user/canary/best-practices: a canary of hours, 50 points at least a
		// judgement, 3 h in intervals of 1 h to begin with. Thresholds have no default: 95 and 75 are the
		// usual examples.
		Weight: 10, Lifetime: minutes(180), Interval: minutes(60), Step: minutes(1), Pass: 95, Marginal: 75}},
	kayentaRule{"kayenta-30m", Kayenta{
		Weight: 10, Lifetime: minutes(30), Interval: minutes(30), Step: minutes(1), Pass: 95, Marginal: 75}},
}

// Rules returns the names of the rules that a scenario may compare without settings of their own.
func Rules() []string {
	names := []string{"tidegate"}
	for _, p := range presets {
		names = append(names, p.Name())
	}
	return names
}

func minutes(n float64) Duration { return Duration(n * float64(time.Minute)) }
