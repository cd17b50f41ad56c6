package workflow

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// What a workflow may be at most. GitHub's own limits are lower; these keep a small text from becoming a very large tree.
const (
	maxBytes = 1 << 20
	maxNodes = 100_000 // with every alias replaced by what it stands for
	maxDepth = 100
	// An expression is read by recursion: GitHub takes none that is longer than this.
	maxExpression = 21_000
)

// parse reads a text that is one YAML document, and returns its root. What it returns is finite and small also with all
// aliases followed; resolve follows them.
func parse(text string) (*yaml.Node, error) {
	if len(text) > maxBytes {
		return nil, &positionError{1, 1, fmt.Sprintf("the workflow has %d bytes: want at most %d", len(text), maxBytes)}
	}
	var document, more yaml.Node
	d := yaml.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the workflow is empty")
		}
		return nil, err
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, err
		}
		return nil, &positionError{more.Line, more.Column, "a second YAML document begins here: a workflow is one document"}
	}
	if len(document.Content) != 1 {
		return nil, errors.New("the workflow is empty")
	}
	root := document.Content[0]
	_, err := (&measure{known: map[*yaml.Node]extent{}, open: map[*yaml.Node]bool{}}).of(root, 1)
	return root, err
}

// A positionError is about a place in the text.
type positionError struct {
	line, column int
	message      string
}

func (e *positionError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.message) }

// resolve returns what a node stands for.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// pairs calls do with the keys and values of a mapping, as far as keys are plain text; of other nodes there are none.
func pairs(n *yaml.Node, do func(key, value *yaml.Node)) {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := resolve(n.Content[i]); key.Kind == yaml.ScalarNode {
			do(key, n.Content[i+1])
		}
	}
}

// lookup returns the value of a key, or nil.
func lookup(n *yaml.Node, name string) (found *yaml.Node) {
	if n == nil {
		return nil
	}
	pairs(n, func(key, value *yaml.Node) {
		if key.Value == name && found == nil {
			found = resolve(value)
		}
	})
	return found
}

// items are the elements of a list; of other nodes there are none.
func items(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n = resolve(n); n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// measure counts a tree with its aliases followed, each node once.
type measure struct {
	known map[*yaml.Node]extent
	open  map[*yaml.Node]bool // being counted: an alias to one of these has no end
}

// An extent is how much there is below a node, with itself.
type extent struct{ nodes, levels int }

func (m *measure) of(n *yaml.Node, depth int) (extent, error) {
	if n.Kind == yaml.AliasNode {
		if m.open[n.Alias] {
			return extent{}, &positionError{n.Line, n.Column, fmt.Sprintf("alias %q stands for what it is in", n.Value)}
		}
		n = n.Alias
	}
	if e, known := m.known[n]; known {
		return e, nil
	}
	m.open[n] = true
	defer delete(m.open, n)
	if len(n.Value) > maxExpression && strings.Contains(n.Value, "${{") {
		return extent{}, tooLong(n)
	}
	all := extent{1, 1}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && resolve(n.Content[i-1]).Value == "if" && len(resolve(c).Value) > maxExpression {
			return extent{}, tooLong(c) // an if is an expression also without ${{ }}
		}
		if depth == maxDepth {
			return extent{}, tooDeep(n)
		}
		e, err := m.of(c, depth+1)
		if err != nil {
			return extent{}, err
		}
		all.nodes, all.levels = all.nodes+e.nodes, max(all.levels, e.levels+1)
		if all.nodes > maxNodes {
			return extent{}, &positionError{n.Line, n.Column, fmt.Sprintf("the workflow has more than %d values with its aliases followed", maxNodes)}
		}
		if all.levels > maxDepth {
			return extent{}, tooDeep(n)
		}
	}
	m.known[n] = all
	return all, nil
}

func tooDeep(n *yaml.Node) error {
	return &positionError{n.Line, n.Column, fmt.Sprintf("the workflow is nested more than %d levels deep", maxDepth)}
}

func tooLong(n *yaml.Node) error {
	return &positionError{n.Line, n.Column, fmt.Sprintf("a text with an expression in it has more than %d characters, which GitHub refuses", maxExpression)}
}
