package action

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// Who has the key can seal anything. A plan that is not the one of its review is refused all the same.
func TestASealedPlanIsThatOfItsReview(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubhub.Files{"main.tf": configured(`var.password`)})
	w.repo.Protect("main")
	event, run := githubhub.Event{Name: "workflow_dispatch"}, githubhub.NewRun{Event: "workflow_dispatch"}
	plan := func(password string) (step, map[string][]byte) {
		sealed := filepath.Join(t.TempDir(), "plan.sealed")
		s := w.run(t.Context(), "main", event, run, map[string]string{"INPUT_MODE": "plan", "INPUT_SAVE": sealed, "INPUT_VAR": "password=" + password}).expect(Done)
		return s, openSealed(t, sealed)
	}
	_, reviewed := plan("one-password")
	planned, other := plan("another-password")
	other[reviewName] = reviewed[reviewName]

	var id int64
	_, _ = fmt.Sscan(planned.env["GITHUB_RUN_ID"], &id)
	mixed := w.repo.Upload(id, "plan", githubhub.Files{"plan.sealed": sealAgain(t, other)})
	w.run(t.Context(), "main", event, run, map[string]string{
		"INPUT_MODE": "apply", "INPUT_VERIFY": "saved", "INPUT_ARTIFACT": fmt.Sprint(mixed.ID), "GITHUB_REF_PROTECTED": "true",
		"GITHUB_RUN_ID": planned.env["GITHUB_RUN_ID"],
	}).expect(Refused, "not that of the plan that was sealed")
	w.applied()
}

func openSealed(t *testing.T, path string) map[string][]byte {
	t.Helper()
	pass, err := passphrase(testKey)
	if err != nil {
		t.Fatal(err)
	}
	who, err := age.NewScryptIdentity(pass)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	opened, err := age.Decrypt(f, who)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for archive := tar.NewReader(opened); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

func sealAgain(t *testing.T, files map[string][]byte) string {
	t.Helper()
	pass, err := passphrase(testKey)
	if err != nil {
		t.Fatal(err)
	}
	to, err := age.NewScryptRecipient(pass)
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(workFactor)
	var out bytes.Buffer
	sealed, err := age.Encrypt(&out, to)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(sealed)
	for _, name := range []string{reviewName, planName(0)} {
		if err := add(archive, name, files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sealed.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
