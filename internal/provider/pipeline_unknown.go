package provider

import (
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// blocksKnown reports whether it is known which blocks there are. With a dynamic block over something unknown it is not,
// and then a model of structs cannot be read.
func blocksKnown(v tftypes.Value) bool {
	kind := v.Type()
	if l, ok := kind.(tftypes.List); ok {
		kind = l.ElementType
	}
	if _, ok := kind.(tftypes.Object); !ok {
		return true
	}
	if !v.IsKnown() {
		return false
	}
	all := true
	each(v, func(_ string, v tftypes.Value) { all = all && blocksKnown(v) })
	return all
}

// knownBut reports whether all of v is known, attributes of these names aside, at whatever depth.
func knownBut(v tftypes.Value, names ...string) bool {
	if !v.IsKnown() {
		return false
	}
	all := true
	each(v, func(name string, v tftypes.Value) {
		all = all && (slices.Contains(names, name) || knownBut(v, names...))
	})
	return all
}

// each calls do with all that is in v; name is "" for what a list or a map holds.
func each(v tftypes.Value, do func(name string, v tftypes.Value)) {
	if v.IsNull() || !v.IsKnown() {
		return
	}
	var object map[string]tftypes.Value
	if v.Type().Is(tftypes.Object{}) {
		if v.As(&object) == nil {
			for name, v := range object {
				do(name, v)
			}
		}
		return
	}
	var list []tftypes.Value
	if v.As(&list) == nil {
		for _, v := range list {
			do("", v)
		}
		return
	}
	if v.Type().Is(tftypes.Map{}) && v.As(&object) == nil {
		for _, v := range object {
			do("", v)
		}
	}
}
