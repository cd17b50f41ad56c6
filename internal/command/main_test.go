package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/command"
)

// TestMain makes the test binary the daemon, the model server and the command line too: real processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "engine", "promote", "status", "plan", "apply", "action":
			os.Exit(command.Main(context.Background(), os.Args[1:], "dev", os.Stdin, os.Stdout, os.Stderr))
		case "serve-model":
			fmt.Println("a line of the model server")
			fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Args[2], serving(os.Args[3])))
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// A model says how its server behaves.
type model struct {
	Name  string `json:"name"`
	Every int    `json:"every"` // each such request fails
}

// serving answers with the name of the model in file.
func serving(file string) http.Handler {
	var m model
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		panic(err)
	}
	var served atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if n := served.Add(1); req.Method == http.MethodPost && m.Every > 0 && n%int64(m.Every) == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprint(w, m.Name)
	})
}

// run returns what a command line printed, and its exit code.
func run(ctx context.Context, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = command.Main(ctx, args, "1.2.3", strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), code
}
