package provider

import "testing"

func TestWhatAPipelineIsImportedByIsTakenApart(t *testing.T) {
	t.Parallel()
	for id, want := range map[string][4]string{
		"acme/fraud:.github/workflows/fraud.yml":                   {"acme/fraud", "", ".github/workflows/fraud.yml", ""},
		"fraud:.github/workflows/fraud.yml":                        {"fraud", "", ".github/workflows/fraud.yml", ""},
		"acme/fraud:.github/workflows/fraud.yml@team/release":      {"acme/fraud", "", ".github/workflows/fraud.yml", "team/release"},
		"../fraud:.github/workflows/fraud.yaml":                    {"", "../fraud", ".github/workflows/fraud.yaml", ""},
		"/srv/a@b/fraud:.github/workflows/fraud.yml":               {"", "/srv/a@b/fraud", ".github/workflows/fraud.yml", ""},
		"github/acme/fraud/.github/workflows/fraud.yml":            {"acme/fraud", "", ".github/workflows/fraud.yml", ""},
		"directory/../fraud/.github/workflows/fraud.yml":           {"", "../fraud", ".github/workflows/fraud.yml", ""},
		"directory/fraud/.github/workflows/fraud.yml":              {"", "fraud", ".github/workflows/fraud.yml", ""},
		"directory//srv/.github/workflows/.github/workflows/a.yml": {"", "/srv/.github/workflows", ".github/workflows/a.yml", ""},
	} {
		address, branch := branchOf(id)
		got, err := pipelineAddress(address)
		if is := [4]string{got.Repository.ValueString(), got.Directory.ValueString(), got.Path.ValueString(), branch}; err != nil || is != want {
			t.Errorf("%s: %q, %v; want %q", id, is, err, want)
		}
	}
	for _, id := range []string{"", ":", "acme/fraud", "acme/fraud:fraud.yml", ".github/workflows/fraud.yml", ":.github/workflows/fraud.yml",
		"a/b/c:.github/workflows/fraud.yml", "acme/..:.github/workflows/fraud.yml", "gitlab/acme/fraud/.github/workflows/fraud.yml",
		"acme/fraud:.github/workflows/fraud.txt", "acme/fraud:.github/workflows/a/b.yml", "github//.github/workflows/fraud.yml"} {
		if got, err := pipelineAddress(id); err == nil {
			t.Errorf("%q is taken for %+v", id, got)
		}
	}
}
