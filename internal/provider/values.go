package provider

import (
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// texts returns the known texts of a list; nil for none.
func texts(l types.List) (all []string) {
	for _, e := range l.Elements() {
		if s, ok := e.(types.String); ok {
			all = append(all, s.ValueString())
		}
	}
	return all
}

// pairs returns the known texts of a map; nil for none.
func pairs(m types.Map) map[string]string {
	var all map[string]string
	for k, e := range m.Elements() {
		if s, ok := e.(types.String); ok && !s.IsNull() && !s.IsUnknown() {
			if all == nil {
				all = map[string]string{}
			}
			all[k] = s.ValueString()
		}
	}
	return all
}

// integer is a number that was validated to be one; 0 where it is null or unknown.
func integer(n types.Number) int {
	f := n.ValueBigFloat()
	if f == nil {
		return 0
	}
	i, _ := f.Int64()
	return int(i)
}

func number(i int) types.Number { return types.NumberValue(big.NewFloat(float64(i))) }

// text is s as a value: absent is null, unless the user wrote "".
func text(s string, was types.String) types.String {
	if s == "" && was.ValueString() == "" && !was.IsUnknown() {
		return types.StringPointerValue(was.ValueStringPointer())
	}
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// list is all as a value: none is null, unless the user wrote [].
func list(all []string, was types.List) types.List {
	if len(all) == 0 && (was.IsNull() || len(was.Elements()) > 0) {
		return types.ListNull(types.StringType)
	}
	values := make([]attr.Value, len(all))
	for i, s := range all {
		values[i] = types.StringValue(s)
	}
	return types.ListValueMust(types.StringType, values)
}

// dictionary is all as a value: none is null, unless the user wrote {}.
func dictionary(all map[string]string, was types.Map) types.Map {
	if len(all) == 0 && (was.IsNull() || len(was.Elements()) > 0) {
		return types.MapNull(types.StringType)
	}
	values := map[string]attr.Value{}
	for k, s := range all {
		values[k] = types.StringValue(s)
	}
	return types.MapValueMust(types.StringType, values)
}

// wholly reports whether a list and all in it are known.
func wholly(l types.List) bool {
	if l.IsUnknown() {
		return false
	}
	for _, e := range l.Elements() {
		if e.IsUnknown() {
			return false
		}
	}
	return true
}

// undecided reports whether it is not known yet if a block is there at all, as with a dynamic
// block over something unknown. A model of structs cannot hold that, so checks wait for it.
func undecided[B any](object tftypes.Value, blocks map[string]B) bool {
	var values map[string]tftypes.Value
	if !object.IsKnown() || object.As(&values) != nil {
		return true
	}
	for name := range blocks {
		if v, ok := values[name]; ok && !v.IsKnown() {
			return true
		}
	}
	return false
}
