package provider

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// pipelineNote is the key of what Terraform keeps of a pipeline beside its attributes.
const pipelineNote = "pipeline"

// A note is what was seen last, which the next change is made against. Nothing in it is secret: of secrets it has names and
// times.
type note struct {
	Status   pipeline.Status
	Imported bool // and not applied since: the arguments are not in the state
	// Written says when our secrets were there first after we wrote them, by environment and name.
	Written map[string]map[string]time.Time
}

// private is what Terraform keeps beside a state.
type private interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

// noteOf reads the note; zero if there is none, as after an import.
func noteOf(ctx context.Context, p private, diags *diag.Diagnostics) (n note) {
	b, more := p.GetKey(ctx, pipelineNote)
	diags.Append(more...)
	if len(b) == 0 {
		return n
	}
	if err := json.Unmarshal(b, &n); err != nil {
		return note{} // of another version of this provider: the next read says what is there
	}
	return n
}

// json is the note to keep.
func (n note) json() []byte {
	for i := range n.Status.Environments {
		n.Status.Environments[i].Secrets = nil
	}
	b, err := json.Marshal(n)
	if err != nil {
		return nil // it is made of texts, numbers and times
	}
	return b
}

// wrote notes that the secrets of st are ours as they are.
func (n *note) wrote(st pipeline.Status) {
	n.Status, n.Imported = st, false
	n.Written = map[string]map[string]time.Time{}
	for _, e := range st.Environments {
		if len(e.SecretsUpdated) > 0 {
			n.Written[e.Name] = e.SecretsUpdated
		}
	}
}
