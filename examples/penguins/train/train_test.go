package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/classifier"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
)

func trained(t *testing.T, version string) (*classifier.Model, metrics) {
	t.Helper()
	rows, err := data.Load()
	if err != nil {
		t.Fatal(err)
	}
	m, got, err := train(rows, version, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m, got
}

func TestEachVersionReachesItsAccuracyOnRowsHeldOut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		version         string
		least, most     float64 // accuracy
		logLoss         float64 // at most
		trainRows, test int
	}{
		{"1", 0.75, 0.85, 0.50, 240, 104},
		{"2", 0.98, 1.00, 0.08, 240, 104},
		{"3", 0.99, 1.00, 0.06, 233, 100},
		{"4", 0.98, 1.00, 0.08, 240, 104},
	} {
		_, got := trained(t, tt.version)
		if got.Accuracy < tt.least || got.Accuracy > tt.most || got.LogLoss > tt.logLoss {
			t.Errorf("version %s: accuracy %.3f, log loss %.3f, want %.2f to %.2f and at most %.2f",
				tt.version, got.Accuracy, got.LogLoss, tt.least, tt.most, tt.logLoss)
		}
		if got.TrainRows != tt.trainRows || got.TestRows != tt.test {
			t.Errorf("version %s: %d training and %d test rows, want %d and %d",
				tt.version, got.TrainRows, got.TestRows, tt.trainRows, tt.test)
		}
	}
}

func TestVersionThreeLooksBestAndCannotAnswerForAnIncompleteBird(t *testing.T) {
	t.Parallel()
	first, _ := trained(t, "1")
	second, secondMetrics := trained(t, "2")
	third, thirdMetrics := trained(t, "3")
	if thirdMetrics.Accuracy < secondMetrics.Accuracy || thirdMetrics.LogLoss > secondMetrics.LogLoss {
		t.Errorf("version 3 has metrics %+v, no better than %+v: then nobody would ship it", thirdMetrics, secondMetrics)
	}
	rows, err := data.Load()
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, row := range rows {
		for _, m := range []*classifier.Model{first, second} {
			if _, _, err := m.Predict(row.Bird); err != nil {
				t.Errorf("version %s has no answer: %v", m.Version, err)
			}
		}
		_, _, err := third.Predict(row.Bird)
		var missing *classifier.MissingError
		if errors.As(err, &missing) {
			refused++
		}
		if (err != nil) == row.Complete() {
			t.Errorf("version 3 said %v of a bird with complete %v", err, row.Complete())
		}
	}
	if refused != 11 {
		t.Errorf("version 3 refused %d birds, want the 11 incomplete ones", refused)
	}
}

func TestVersionFourIsAsRightAsVersionTwoAndMuchSlower(t *testing.T) {
	t.Parallel()
	second, _ := trained(t, "2")
	fourth, _ := trained(t, "4")
	rows, err := data.Load()
	if err != nil {
		t.Fatal(err)
	}
	took := map[*classifier.Model]time.Duration{}
	for _, m := range []*classifier.Model{second, fourth} {
		began := time.Now()
		for _, row := range rows[:20] {
			best, _, err := m.Predict(row.Bird)
			if err != nil || m.Classes[best] != row.Species {
				t.Errorf("version %s says %s of a bird that is %s, %v", m.Version, m.Classes[best], row.Species, err)
			}
		}
		took[m] = time.Since(began)
	}
	if took[fourth] < 100*took[second] {
		t.Errorf("version 2 took %s for 20 birds and version 4 %s, want at least 100 times as long", took[second], took[fourth])
	}
}

func TestTrainingTwiceWritesTheSameBytes(t *testing.T) {
	t.Parallel()
	first, again := filepath.Join(t.TempDir(), "a.json"), filepath.Join(t.TempDir(), "b.json")
	for _, path := range []string{first, again} {
		if err := run("2", path, path+".metrics", 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, suffix := range []string{"", ".metrics"} {
		a, errA := os.ReadFile(first + suffix)
		b, errB := os.ReadFile(again + suffix)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("two runs wrote different files:\n%s\n%s", a, b)
		}
	}
}

func TestAModelFileReadsBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1", "2", "3", "4"} {
		path := filepath.Join(t.TempDir(), "model.json")
		if err := run(version, path, "", 1); err != nil {
			t.Fatal(err)
		}
		got, err := classifier.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := trained(t, version)
		a, errA := json.Marshal(got)
		b, errB := json.Marshal(want)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("version %s reads back as\n%s\nwant\n%s", version, a, b)
		}
	}
}

func TestAnUnknownVersionIsAnErrorThatListsTheChoices(t *testing.T) {
	t.Parallel()
	err := run("9", filepath.Join(t.TempDir(), "model.json"), "", 1)
	if err == nil || err.Error() != `version "9": want 1, 2, 3 or 4` {
		t.Errorf("got %v, want the choices", err)
	}
}
