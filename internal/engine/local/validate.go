package local

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// errInvalid is wrapped by what is wrong with a request.
var errInvalid = errors.New("invalid request")

// A wrong is an error about a request: its text is the sentence alone.
type wrong string

func (w wrong) Error() string        { return string(w) }
func (w wrong) Is(target error) bool { return target == errInvalid }

func invalid(format string, args ...any) error { return wrong(fmt.Sprintf(format, args...)) }

// mostReplicas bounds what one machine is asked to start by a slip of the finger.
const mostReplicas = 64

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// validName keeps names usable as parts of ids, paths and host names.
func validName(what, name string) error {
	if !label.MatchString(name) {
		return invalid("%s name %q: want 1 to 63 lower case letters, digits and hyphens, not a hyphen at an end", what, name)
	}
	return nil
}

// validate refuses what no endpoint can be. The provider says the same at plan; here it is for
// whoever else writes to the socket.
func validate(s endpoint.Spec) error {
	r := s.Runtime
	errs := []error{validName("cluster", s.Cluster), validName("endpoint", s.Name)}
	if !filepath.IsAbs(s.Root) {
		errs = append(errs, invalid("root %q: want an absolute path", s.Root))
	}
	if s.Replicas < 1 || s.Replicas > mostReplicas {
		errs = append(errs, invalid("replicas %d: want 1 to %d", s.Replicas, mostReplicas))
	}
	if len(r.Command) == 0 || r.Command[0] == "" {
		errs = append(errs, invalid("runtime command is empty: want a program and its arguments"))
	}
	if r.Protocol != "v2" && r.Protocol != "http" {
		errs = append(errs, invalid("runtime protocol %q: want v2 or http", r.Protocol))
	}
	if r.StartTimeout <= 0 {
		errs = append(errs, invalid("runtime start timeout %s: want more than 0s", r.StartTimeout))
	}
	if s.Routing.StickyHeader != "" && s.Routing.StickyCookie != "" {
		errs = append(errs, invalid("routing: want a sticky header or a sticky cookie, not both"))
	}
	if s.Routing.Timeout < 0 {
		errs = append(errs, invalid("routing timeout %s: want 0s (for ever) or more", s.Routing.Timeout))
	}
	if c := s.Rollout.OnCancel; c != "" && c != "rollback" && c != "freeze" {
		errs = append(errs, invalid("rollout on_cancel %q: want rollback or freeze", c))
	}
	if r := s.Rollout.Run; r != "" && r != endpoint.Inline && r != endpoint.Staged {
		errs = append(errs, invalid("rollout run %q: want %s or %s", r, endpoint.Inline, endpoint.Staged))
	}
	if _, err := policyOf(s); err != nil {
		errs = append(errs, err)
	}
	for _, m := range []map[string]string{s.Env.Values, s.Env.Secrets} {
		for name, value := range m {
			if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
				errs = append(errs, invalid("environment variable %q: want a name without = and no zero bytes", name))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return invalid("endpoint %s/%s: %v", s.Cluster, s.Name, err)
	}
	return nil
}

// policyOf is how a new revision of s gets its traffic; the default where s does not say.
func policyOf(s endpoint.Spec) (rollout.Policy, error) {
	if s.Rollout.Policy == "" {
		return rollout.DefaultPolicy(), nil
	}
	p, err := rollout.ParsePolicy([]byte(s.Rollout.Policy))
	if err != nil {
		return p, invalid("rollout policy: %v", err)
	}
	return p, nil
}
