package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	tf "github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

func TestMarkerComesBackAndIsFoundByItsName(t *testing.T) {
	t.Parallel()
	for _, name := range append(hostile, "", "prod", "prod eu") {
		name = strings.ToValidUTF8(name, "x")
		p := Page{Name: name, Head: "abc", Roots: []Root{{Dir: name, Workspace: "w", Plan: tf.Plan{Fingerprint: keyed()}}}}
		want := Marker{Name: name, Head: "abc", Roots: []MarkedRoot{{Root: name, Workspace: "w", Fingerprint: keyed().Sum, Keyed: true}}}
		comment := p.Comment()
		got, ok := ParseMarker(comment)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("%q: %v, %s", name, ok, diff)
		}
		if windows, ok := ParseMarker(strings.ReplaceAll(comment, "\n", "\r\n")); !ok || !cmp.Equal(got, windows) {
			t.Errorf("%q is another with line ends of Windows", name)
		}
		for _, other := range append(hostile, "", "prod", "prod eu") {
			if strings.HasPrefix(comment, MarkerOf(other)) != (strings.ToValidUTF8(other, "x") == name) && strings.ToValidUTF8(other, "x") == other {
				t.Errorf("the comment of %q, looked for as %q", name, other)
			}
		}
	}
}

func TestMarkerOfOthersIsNone(t *testing.T) {
	t.Parallel()
	good, _, _ := strings.Cut(pageOf().Comment(), "\n")
	for _, body := range []string{"", "text", "text\n" + good, " " + good, "> " + good, good[:len(good)-1], strings.Replace(good, "plan:1", "plan:2", 1), strings.Replace(good, `"name":""`, `"name":"x"`, 1),
		markerBegin + `"" {} {}` + markerEnd, markerBegin + `""` + markerEnd, markerBegin + `"" [` + markerEnd, markerBegin + strings.Repeat("[", 1<<20)} {
		if m, ok := ParseMarker(body); ok {
			t.Errorf("%.80q is the marker %+v", body, m)
		}
	}
	if _, ok := ParseMarker(good); !ok {
		t.Errorf("%q is none", good)
	}
}
