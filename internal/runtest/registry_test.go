package runtest

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// A registry of OCI artifacts, the CNCF's.
type registry struct {
	t    *testing.T
	host string // "localhost:PORT": there clients speak without TLS
}

func startRegistry(t *testing.T) registry {
	t.Helper()
	cmd := exec.Command(githubhub.Tool(t, "ocitest", "./cmd/registry"))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return registry{t, net.JoinHostPort("localhost", port)}
}

// An artifact is a manifest as the registry has it.
type artifact struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Config       descriptor        `json:"config"`
	Layers       []descriptor      `json:"layers"`
	Annotations  map[string]string `json:"annotations"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Annotations map[string]string `json:"annotations"`
}

// artifact gets what NAME@DIGEST names, and checks that it is that.
func (r registry) artifact(image string) artifact {
	r.t.Helper()
	name, sum, ok := strings.Cut(strings.TrimPrefix(image, r.host+"/"), "@")
	if !ok {
		r.t.Fatalf("%q: want %s/NAME@DIGEST", image, r.host)
	}
	var a artifact
	if err := json.Unmarshal(r.get(name, "manifests", sum), &a); err != nil {
		r.t.Fatal(err)
	}
	return a
}

// get gets a manifest or a blob whose digest is this.
func (r registry) get(name, kind, sum string) []byte {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.host+"/v2/"+name+"/"+kind+"/"+sum, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json, */*")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if got := digest(string(b)); resp.StatusCode != http.StatusOK || got != sum {
		r.t.Fatalf("%s %s@%s: status %d, and the digest of its bytes is %s", kind, name, sum, resp.StatusCode, got)
	}
	return b
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}
