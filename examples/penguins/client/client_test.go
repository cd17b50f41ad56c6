package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/replay"
)

func TestRunPrintsCountsForPeopleAndPrograms(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		w.Header().Set(replay.VersionHeader, "3")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, `{"error":"sex is missing"}`)
	}))
	defer s.Close()
	c := replay.Config{URL: s.URL, Model: "penguins", Rate: 200, Workers: 2}

	var out bytes.Buffer
	play := func(asJSON bool) {
		t.Helper()
		out.Reset()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			<-asked
			<-asked
			cancel()
		}()
		if err := run(ctx, &out, c, time.Minute, asJSON); err != nil {
			t.Fatal(err)
		}
	}
	play(true)
	var counts replay.Counts
	if err := json.Unmarshal(out.Bytes(), &counts); err != nil {
		t.Fatal(err)
	}
	if counts.Requests < 2 || counts.Failed != counts.Requests || counts.Versions["3"].Failed != counts.Failed {
		t.Errorf("got %+v, want failures of version 3", counts)
	}

	play(false)
	for _, want := range []string{"requests in", "failed, 0.0% got the right species", "version 3:", `last failure: 500 {"error":"sex is missing"}`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, out.String())
		}
	}
}
