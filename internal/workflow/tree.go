package workflow

// A workflow before it is text: mappings that keep their order, with comments for people where these help.
type (
	// fields is a mapping in the order in which it is to be read.
	fields []field

	field struct {
		name  string
		value any    // string, quoted, script, int, bool, fields, list, words; nil for a name without a value
		note  string // a comment behind it, on the same line
		above string // a comment above it, of one or more lines
		gap   bool   // an empty line goes before
	}

	// list has one element a line.
	list []any
	// words is a list on one line.
	words []string
	// quoted is a string that people expect in quotes, such as a version or a cron.
	quoted string
	// script is a string that people expect as a block.
	script string
)

// add appends a field.
func (f *fields) add(name string, value any) { *f = append(*f, field{name: name, value: value}) }

// addIf appends a field that says something: nothing that is "", 0, or has no elements.
func (f *fields) addIf(name string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case script:
		if v == "" {
			return
		}
	case fields:
		if len(v) == 0 {
			return
		}
	case words:
		if len(v) == 0 {
			return
		}
	}
	f.add(name, value)
}
