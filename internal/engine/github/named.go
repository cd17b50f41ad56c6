package github

import (
	"strings"
	"sync"
)

// named are environments that a plan of one pipeline tells the next ones about: those that it makes, so that others may deploy to
// them, and those of the pipeline that it replaces, which Terraform plans in two steps, the second of them without what was
// there. The zero value has none.
type named struct{ names sync.Map }

func (c *named) add(r *Repository, name string) {
	c.names.Store(strings.ToLower(r.String()+"/"+name), true)
}

func (c *named) has(r *Repository, name string) bool {
	_, ok := c.names.Load(strings.ToLower(r.String() + "/" + name))
	return ok
}
