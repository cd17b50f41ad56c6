package workflow_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A member of an archive that a training made.
type member struct {
	name string
	kind byte // of package tar
	link string
	mode int64
}

func file(name string) member { return member{name: name, kind: tar.TypeReg, mode: 0o600} }

// archive is a tar of files with their names in them.
func archive(t *testing.T, members []member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: m.kind, Linkname: m.link, Mode: m.mode, Uid: 1234, Gid: 1234}
		if m.kind == tar.TypeReg {
			h.Size = int64(len(m.name))
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if m.kind == tar.TypeReg {
			if _, err := w.Write([]byte(m.name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A bench is a checkout and a temporary folder in which a step's script is run as a runner does.
type bench struct {
	t              *testing.T
	checkout, temp string
}

func newBench(t *testing.T) bench {
	t.Helper()
	for _, tool := range []string{"bash", "tar", "sha256sum", "readlink"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not there, as it is on runners: %v", tool, err)
		}
	}
	b := bench{t, t.TempDir(), t.TempDir()}
	b.write(b.temp, "made/.keep", "")
	return b
}

func (b bench) write(root, name, content string) {
	b.t.Helper()
	at := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o750); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// run runs the step of that name; its environment is the step's own, with want as the digest.
func (b bench) run(f flow, job, name, want string) (string, error) {
	b.t.Helper()
	steps := f.Jobs[job].Steps
	i := slices.IndexFunc(steps, func(s flowStep) bool { return s.Name == name })
	if i < 0 {
		b.t.Fatalf("job %s has no step %q", job, name)
	}
	cmd := exec.CommandContext(b.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps[i].Run)
	cmd.Dir, cmd.Env = b.checkout, append(os.Environ(), "RUNNER_TEMP="+b.temp)
	for k, v := range steps[i].Env {
		if strings.Contains(v, "${{") {
			v = want
		}
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

const isTheTrainings = "The model is that of the training"

func TestAModelIsUnpackedAsItWas(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"out/", "out/model.bin", "./out", "model.bin"} {
		s := full()
		s.Package.Model = model
		b := newBench(t)
		at := filepath.ToSlash(filepath.Clean(model))
		members := []member{{name: at, kind: tar.TypeReg, mode: 0o4755}}
		if !strings.HasSuffix(at, ".bin") {
			members = []member{
				{name: at + "/", kind: tar.TypeDir, mode: 0o755}, {name: at + "/model.bin", kind: tar.TypeReg, mode: 0o4755}, file(at + "/a b/c"),
				{name: at + "/last", kind: tar.TypeSymlink, link: "model.bin"}, {name: at + "/same", kind: tar.TypeLink, link: at + "/model.bin"},
			}
		}
		tarball := archive(t, members)
		b.write(b.temp, "made/model.tar", string(tarball))
		b.write(b.checkout, at+map[bool]string{true: "", false: "/older"}[strings.HasSuffix(at, ".bin")], "older")
		if said, err := b.run(read(t, render(t, s)), "package", isTheTrainings, digest(tarball)); err != nil {
			t.Errorf("%s: %v: %s", model, err, said)
			continue
		}
		kept := filepath.Join(b.checkout, at)
		if len(members) > 1 {
			kept = filepath.Join(kept, "model.bin")
		}
		info, err := os.Stat(kept)
		if err != nil || info.Mode()&fs.ModeSetuid != 0 {
			t.Errorf("%s: %v, %v: want no setuid bit", model, info, err)
		}
		if _, err := os.Stat(filepath.Join(b.checkout, at, "older")); err == nil {
			t.Errorf("%s: what was there before stays beside it", model)
		}
		if _, err := os.Stat(filepath.Join(b.temp, "model.tar")); err != nil {
			t.Errorf("%s: the archive is not where it is pushed from: %v", model, err)
		}
	}
}

func TestAModelThatReachesOutOfItselfIsRefused(t *testing.T) {
	t.Parallel()
	link := func(name, to string) member { return member{name: name, kind: tar.TypeSymlink, link: to, mode: 0o777} }
	for name, c := range map[string]struct {
		members []member
		says    string
	}{
		"a link to anywhere":          {[]member{file("out/a"), link("out/b", "/etc/passwd")}, "a link that leads out of it"},
		"a link up":                   {[]member{file("out/a"), link("out/b", "../secret")}, "a link that leads out of it"},
		"a link to the outside by in": {[]member{file("out/a"), link("out/b", "c/../../secret")}, "a link that leads out of it"},
		"a link to nothing":           {[]member{file("out/a"), link("out/b", "/no/such/file")}, "a link that leads out of it"},
		"the model is a link":         {[]member{link("out", "/etc")}, "a link that leads out of it"},
		"writes through a link":       {[]member{link("out", "/tmp"), file("out/tidegate-was-here")}, ""},
		"a path up":                   {[]member{file("out/a"), file("out/../../evil")}, ""},
		"an absolute path":            {[]member{file("out/a"), file("/evil")}, "more than the model"},
		"a file beside it":            {[]member{file("out/a"), file("Makefile")}, "more than the model"},
		"a file of git beside it":     {[]member{file("out/a"), file(".git/hooks/pre-push")}, "more than the model"},
		"a pipe":                      {[]member{file("out/a"), {name: "out/pipe", kind: tar.TypeFifo, mode: 0o600}}, "something that is no file"},
		"no model":                    {[]member{file("outside")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.write(b.checkout, "Makefile", "ours")
			tarball := archive(t, c.members)
			b.write(b.temp, "made/model.tar", string(tarball))
			said, err := b.run(read(t, render(t, full())), "package", isTheTrainings, digest(tarball))
			if err == nil || !strings.Contains(said, c.says) {
				t.Errorf("%v: %s; want an error that says %q", err, said, c.says)
			}
			if _, err := os.Stat(filepath.Join(b.temp, "model.tar")); err == nil {
				t.Error("the archive is where it would be pushed from")
			}
			for _, evil := range []string{filepath.Join(b.checkout, ".git"), filepath.Join(b.temp, "evil"), "/tmp/tidegate-was-here", "/evil"} {
				if _, err := os.Stat(evil); err == nil {
					t.Errorf("%s was written", evil)
				}
			}
			if text, err := os.ReadFile(filepath.Join(b.checkout, "Makefile")); err != nil || string(text) != "ours" {
				t.Errorf("the checkout was changed: %q, %v", text, err)
			}
		})
	}
}

func TestWhatIsNotWhatWasMadeIsNotUsed(t *testing.T) {
	t.Parallel()
	f := read(t, render(t, full()))
	good := archive(t, []member{file("out/a")})
	for _, c := range []struct{ job, step, artifact string }{
		{"package", isTheTrainings, "model.tar"}, {"sbom", isTheTrainings, "model.tar"},
		{"evaluate", "The metrics are those of the training", "metrics.json"}, {"attest", "The bill of materials is the one that was made", "sbom.json"},
	} {
		for want, ok := range map[string]bool{digest(good): true, digest(nil): false, "": false, strings.Repeat("0", 64): false, digest(good) + "  /dev/null\n": false} {
			b := newBench(t)
			b.write(b.temp, "made/"+c.artifact, string(good))
			if said, err := b.run(f, c.job, c.step, want); (err == nil) != ok {
				t.Errorf("job %s takes %s with digest %q: %v: %s", c.job, c.artifact, want, err, said)
			}
		}
	}
}

// rendered are configurations whose workflows are not their author's.
func rendered() map[string]pipeline.Spec {
	all := specs()
	delete(all, "own-yaml")
	return all
}

// An artifact's files replace nothing, whatever their names: each is fetched into a folder where nothing else is. A name finds
// an artifact of this very run; with run-id or repository it could be one of a pull request's.
func TestArtifactsAreThoseOfTheRunAndLieApart(t *testing.T) {
	t.Parallel()
	n := 0
	for name, s := range rendered() {
		for id, j := range read(t, render(t, s)).Jobs {
			for _, step := range j.Steps {
				if !strings.HasPrefix(step.Uses, "actions/download-artifact@") {
					continue
				}
				n++
				if len(step.With) != 2 || step.With["name"] == "" || step.With["path"] != "${{ runner.temp }}/made" {
					t.Errorf("%s, job %s: %v", name, id, step.With)
				}
			}
		}
	}
	if n == 0 {
		t.Error("no workflow fetches any")
	}
}

// These actions are pinned, and fetch a script that is not: what they install is never in one job with a token that writes.
func TestScannersHaveNoTokenThatWrites(t *testing.T) {
	t.Parallel()
	all := rendered()
	s := full()
	s.Package.Image, s.Package.Dockerfile, s.Package.Provenance = "registry.acme.io/fraud", "Dockerfile", false
	s.Package.Stage = pipeline.Stage{Env: map[string]string{"USER": "ci"}, Steps: []pipeline.Step{
		{Name: "Sign in", Run: "./ci/login.sh", Env: map[string]string{"PASSWORD": "${{ secrets.REGISTRY_PASSWORD }}"}}, {After: true, Name: "Tell", Run: "./ci/tell.sh"},
	}}
	all["another registry"] = s
	n := 0
	for name, s := range all {
		f := read(t, render(t, s))
		for id, j := range f.Jobs {
			for _, step := range j.Steps {
				if !strings.Contains(step.Uses, "download-grype@") && !strings.Contains(step.Uses, "download-syft@") {
					continue
				}
				n++
				for scope, level := range j.Permissions {
					if level != "read" {
						t.Errorf("%s, job %s: %s: %s", name, id, scope, level)
					}
				}
			}
		}
	}
	if n == 0 {
		t.Error("nothing is scanned")
	}
	f := read(t, render(t, s))
	for id, signs := range map[string]bool{"sbom": true, "attest": true} {
		named := func(name string) bool {
			return slices.ContainsFunc(f.Jobs[id].Steps, func(s flowStep) bool { return s.Name == name })
		}
		if named("Sign in") != signs || named("Tell") || f.Jobs[id].Env["USER"] != "ci" {
			t.Errorf("job %s cannot reach a registry that the user signs in to: %+v", id, f.Jobs[id])
		}
	}
	if got := f.Jobs["plan-staging"].Needs; !slices.Equal(got, []string{"attest", "scan-image"}) {
		t.Errorf("a deploy waits for %v: want it to wait for what a cluster may ask for", got)
	}
}
