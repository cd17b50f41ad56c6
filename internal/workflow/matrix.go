package workflow

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxCombinations is how many jobs GitHub makes of a matrix.
const maxCombinations = 256

var errTooMany = errors.New("its matrix has more than 256 combinations, which GitHub refuses")

// A combination of a matrix, in the order of its keys.
type combination []axis

type axis struct {
	key   string
	value any // as meaningOf has it
	texts []string
	extra bool // an include brought it
}

// combinationsOf are the jobs of a matrix. They are not known if an expression makes them.
func combinationsOf(matrix *yaml.Node) (all []combination, known bool, err error) {
	if matrix.Kind != yaml.MappingNode {
		return nil, false, nil
	}
	all, known = []combination{{}}, true
	var include, exclude *yaml.Node
	pairs(matrix, func(key, value *yaml.Node) {
		switch {
		case key.Value == "include":
			include = resolve(value)
		case key.Value == "exclude":
			exclude = resolve(value)
		case err == nil && known:
			all, known, err = cross(all, key.Value, resolve(value))
		}
	})
	if err != nil || !known {
		return nil, false, err
	}
	if len(all[0]) == 0 {
		all = nil // it has nothing but includes
	}
	without, known, err := entriesOf(exclude)
	if err != nil || !known {
		return nil, false, err
	}
	all = slices.DeleteFunc(all, func(c combination) bool {
		return slices.ContainsFunc(without, func(e combination) bool { return c.has(e) })
	})
	more, known, err := entriesOf(include)
	if err != nil || !known {
		return nil, false, err
	}
	if len(all) > maxCombinations || len(more) > maxCombinations {
		return nil, false, errTooMany
	}
	if all = included(all, more); len(all) > maxCombinations {
		return nil, false, errTooMany
	}
	return all, true, nil
}

// cross combines what is there with each value of one more key.
func cross(all []combination, key string, values *yaml.Node) ([]combination, bool, error) {
	if values.Kind != yaml.SequenceNode {
		return nil, false, nil
	}
	var more []combination
	for _, c := range all {
		for _, v := range values.Content {
			a, known, err := axisOf(key, v)
			if err != nil || !known {
				return nil, false, err
			}
			if more = append(more, append(slices.Clone(c), a)); len(more) > 20*maxCombinations {
				return nil, false, errTooMany
			}
		}
	}
	return more, len(more) > 0, nil
}

// entriesOf are the elements of an include or an exclude.
func entriesOf(list *yaml.Node) (entries []combination, known bool, err error) {
	if list == nil {
		return nil, true, nil
	}
	if list.Kind != yaml.SequenceNode {
		return nil, false, nil
	}
	known = true
	for _, e := range list.Content {
		var c combination
		pairs(e, func(key, value *yaml.Node) {
			if err == nil && known {
				var a axis
				a, known, err = axisOf(key.Value, value)
				c = append(c, a)
			}
		})
		entries = append(entries, c)
	}
	return entries, known, err
}

func axisOf(key string, n *yaml.Node) (axis, bool, error) {
	v, err := meaningOf(n, nil)
	a := axis{key: key, value: v, texts: leaves(nil, n)}
	known := !slices.ContainsFunc(a.texts, func(s string) bool { return strings.Contains(s, "${{") })
	return a, known, err
}

// leaves are the scalars in a value, in order: what stands for it in a job's name.
func leaves(found []string, n *yaml.Node) []string {
	switch n = resolve(n); n.Kind {
	case yaml.ScalarNode:
		return append(found, plainScalar(n).text)
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			found = leaves(found, n.Content[i])
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			found = leaves(found, c)
		}
	default:
	}
	return found
}

// included adds includes as GitHub does: to each combination of which they change no original value, else as one of
// their own.
func included(all []combination, more []combination) []combination {
	original := len(all)
	for _, e := range more {
		added := false
		for i := range all[:original] {
			if all[i].takes(e) {
				all[i], added = all[i].with(e), true
			}
		}
		if !added {
			all = append(all, combination{}.with(e))
		}
	}
	return all
}

// has reports whether all of e is in c.
func (c combination) has(e combination) bool {
	return !slices.ContainsFunc(e, func(a axis) bool {
		i := c.index(a.key)
		return i < 0 || !reflect.DeepEqual(c[i].value, a.value)
	})
}

// takes reports whether e changes no original value of c.
func (c combination) takes(e combination) bool {
	return !slices.ContainsFunc(e, func(a axis) bool {
		i := c.index(a.key)
		return i >= 0 && !c[i].extra && !reflect.DeepEqual(c[i].value, a.value)
	})
}

func (c combination) with(e combination) combination {
	for _, a := range e {
		a.extra = true
		if i := c.index(a.key); i < 0 {
			c = append(c, a)
		} else if c[i].extra {
			c[i] = a
		}
	}
	return c
}

func (c combination) index(key string) int {
	return slices.IndexFunc(c, func(a axis) bool { return a.key == key })
}

// texts are what stands behind a job's name.
func (c combination) texts() []string {
	var all []string
	for _, a := range c {
		for _, t := range a.texts {
			if t != "" {
				all = append(all, t)
			}
		}
	}
	return all
}

// text is the value of a key in a name.
func (c combination) text(key string) string {
	i := c.index(key)
	if i < 0 {
		return ""
	}
	if r, ok := c[i].value.(reading); ok {
		return r.text
	}
	return "${{" // an object: what it is written as, only a run can say
}
