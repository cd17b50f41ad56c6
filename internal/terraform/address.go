package terraform

import "strings"

// An address is taken apart without a parser for expressions: what is in brackets, and in quotes there, belongs together.

// splitAddress is the names of an address with their keys: module.a["x.y"].b.c[0] is module, a["x.y"], b, c[0].
func splitAddress(address string) []string {
	var out []string
	from := 0
	scanAddress(address, func(i int, depth int, c byte) {
		if c == '.' && depth == 0 {
			out = append(out, address[from:i])
			from = i + 1
		}
	})
	return append(out, address[from:])
}

// scanAddress calls f for every byte that is not in quotes, with how deep in brackets it is.
func scanAddress(address string, f func(i int, depth int, c byte)) {
	depth, quoted := 0, false
	for i := 0; i < len(address); i++ {
		c := address[i]
		switch {
		case quoted && c == '\\':
			i++
			continue
		case c == '"' && depth > 0:
			quoted = !quoted
			continue
		case quoted:
			continue
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		}
		f(i, depth, c)
	}
}

// withoutKey is a name without its instance key.
func withoutKey(name string) string {
	name, _, _ = strings.Cut(name, "[")
	return name
}

// addressParts are the module that an address is in ("" for the root), and the rest of it.
func addressParts(address string) (module string, rest []string) {
	names := splitAddress(address)
	i := 0
	for i+1 < len(names) && names[i] == "module" {
		i += 2
	}
	return strings.Join(names[:i], "."), names[i:]
}

// typeOf is the resource type in an address, "data.aws_ami" for a data source.
func typeOf(address string) (module, kind string) {
	module, rest := addressParts(address)
	if len(rest) > 1 && rest[0] == "data" {
		return module, "data." + rest[1]
	}
	return module, rest[0]
}

// configAddress is an address without any keys, as the configuration has it.
func configAddress(address string) string {
	names := splitAddress(address)
	for i, n := range names {
		names[i] = withoutKey(n)
	}
	return strings.Join(names, ".")
}

// glob reports whether a pattern, in which a star stands for anything, is all of s.
func glob(pattern, s string) bool {
	pieces := strings.Split(pattern, "*")
	if len(pieces) == 1 {
		return pattern == s
	}
	first, last := pieces[0], pieces[len(pieces)-1]
	if !strings.HasPrefix(s, first) || len(s) < len(first)+len(last) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		i := strings.Index(s, piece)
		if i < 0 {
			return false
		}
		s = s[i+len(piece):]
	}
	return true
}
