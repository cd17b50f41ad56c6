package provider

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A check validates a text that is known by a function that says what is wrong with it.
type check struct {
	want string // for documentation
	fail func(string) error
}

func (c check) Description(context.Context) string         { return c.want }
func (c check) MarkdownDescription(context.Context) string { return c.want }

func (c check) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := c.fail(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+req.Path.String(), err.Error())
	}
}

func notEmpty(want string) validator.String {
	return check{"not empty", func(s string) error {
		if s == "" {
			return fmt.Errorf(`"": want %s, or leave it out`, want)
		}
		return nil
	}}
}

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// dnsLabel wants what names have in all engines, so that an endpoint can move between them.
func dnsLabel() validator.String {
	return check{"a DNS label", func(s string) error {
		if !label.MatchString(s) {
			return fmt.Errorf("%q: want a DNS label: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -", s)
		}
		return nil
	}}
}

func oneOf(choices ...string) validator.String {
	return check{"one of " + strings.Join(choices, ", "), func(s string) error {
		for _, c := range choices {
			if s == c {
				return nil
			}
		}
		return fmt.Errorf("%q: want %q", s, choices)
	}}
}

// A whole validates a number: HCL knows no integers, and Terraform's words for 2.5 blame the provider.
type whole struct{ least, most int64 }

func (w whole) Description(context.Context) string {
	return fmt.Sprintf("a whole number from %d to %d", w.least, w.most)
}
func (w whole) MarkdownDescription(ctx context.Context) string { return w.Description(ctx) }

func (w whole) ValidateNumber(ctx context.Context, req validator.NumberRequest, resp *validator.NumberResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	n := req.ConfigValue.ValueBigFloat()
	if i, _ := n.Int64(); !n.IsInt() || i < w.least || i > w.most {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+req.Path.String(), n.Text('g', 20)+": want "+w.Description(ctx)+".")
	}
}

// longest bounds what is waited for: beyond, somebody mistook the unit.
const longest = 30 * 24 * time.Hour

func duration(least time.Duration) validator.String {
	return check{"a duration", func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf(`%q: want a duration such as "90s" or "2h"`, s)
		}
		if d < least || d > longest {
			return fmt.Errorf("%q: want %s to %s", s, least, longest)
		}
		return nil
	}}
}

func policyJSON() validator.String {
	return check{"a rollout policy", func(s string) error {
		if _, err := rollout.ParsePolicy([]byte(s)); err != nil {
			return fmt.Errorf("%w\nTake the attribute json of a tidegate_rollout_policy, which is always right", err)
		}
		return nil
	}}
}

var header = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// token wants what may name a header or a cookie.
func token() validator.String {
	return check{"a name", func(s string) error {
		if !header.MatchString(s) {
			return fmt.Errorf("%q: want a name without blanks, separators or control characters, such as X-Client", s)
		}
		return nil
	}}
}

func clusterID() validator.String {
	return check{"a cluster's id", func(s string) error { _, err := clusterName(s); return err }}
}

func endpointID() validator.String {
	return check{"an endpoint's id", func(s string) error { _, _, err := endpointName(s); return err }}
}

// clusterName takes "local/NAME" apart.
func clusterName(id string) (string, error) {
	name, ok := strings.CutPrefix(id, "local/")
	if ok && label.MatchString(name) {
		return name, nil
	}
	err := fmt.Errorf("%q: want local/NAME, the id of a tidegate_cluster", id)
	if label.MatchString(id) {
		err = fmt.Errorf(`%w; did you mean "local/%s"?`, err, id)
	}
	return "", err
}

// endpointName takes "local/CLUSTER/NAME" apart.
func endpointName(id string) (clusterName, name string, err error) {
	parts := strings.Split(id, "/")
	if len(parts) == 3 && parts[0] == "local" && label.MatchString(parts[1]) && label.MatchString(parts[2]) &&
		endpoint.ID(parts[1], parts[2]) == id {
		return parts[1], parts[2], nil
	}
	return "", "", fmt.Errorf("%q: want local/CLUSTER/NAME, the id of a tidegate_model_endpoint", id)
}

// required makes a block required: Terraform itself can require attributes only.
type required struct{ example string }

func (r required) Description(context.Context) string         { return "required" }
func (r required) MarkdownDescription(context.Context) string { return "required" }

func (r required) ValidateObject(_ context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() {
		resp.Diagnostics.AddAttributeError(req.Path, "Missing block "+req.Path.String(), "Want "+r.example+".")
	}
}

// A notZero refuses a number that would read as one that is not there. Policies check the rest.
type notZero struct{ want string }

func (n notZero) Description(context.Context) string         { return n.want }
func (n notZero) MarkdownDescription(context.Context) string { return n.want }

func (n notZero) ValidateFloat64(_ context.Context, req validator.Float64Request, resp *validator.Float64Response) {
	if !req.ConfigValue.IsNull() && !req.ConfigValue.IsUnknown() && req.ConfigValue.ValueFloat64() == 0 {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+req.Path.String(), "0: want "+n.want+".")
	}
}
