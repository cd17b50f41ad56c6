package classifier

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
)

func small() *Model {
	return &Model{
		Version:  "7",
		Features: []Feature{{Name: "body_mass_g", Mean: 4000, Std: 500}, {Name: "sex", Words: []string{"female", "male"}}},
		Classes:  []string{"Adelie", "Gentoo"},
		Impute:   &data.Bird{Numbers: map[string]float64{"body_mass_g": 4500}, Words: map[string]string{"sex": "male"}},
		Weights:  [][]float64{{0, -1, 0.5, 0}, {0, 1, 0, 0.5}},
	}
}

func bird(mass float64, sex string) data.Bird {
	b := data.Bird{Numbers: map[string]float64{}, Words: map[string]string{}}
	if mass > 0 {
		b.Numbers["body_mass_g"] = mass
	}
	if sex != "" {
		b.Words["sex"] = sex
	}
	return b
}

func TestEncodeStandardisesAndImputes(t *testing.T) {
	for _, tt := range []struct {
		bird data.Bird
		want []float64
	}{
		{bird(5000, "female"), []float64{1, 2, 1, 0}},
		{bird(0, "female"), []float64{1, 1, 1, 0}},
		{bird(4000, ""), []float64{1, 0, 0, 1}},
		{data.Bird{}, []float64{1, 1, 0, 1}},
	} {
		got, err := small().Encode(tt.bird)
		if err != nil {
			t.Fatal(err)
		}
		for i := range tt.want {
			if got[i] != tt.want[i] {
				t.Errorf("%v encodes as %v, want %v", tt.bird, got, tt.want)
				break
			}
		}
	}
}

func TestEncodeWithoutImputationNamesWhatIsMissing(t *testing.T) {
	m := small()
	m.Impute = nil
	for feature, b := range map[string]data.Bird{"body_mass_g": bird(0, "male"), "sex": bird(4000, "")} {
		_, err := m.Encode(b)
		var missing *MissingError
		if !errors.As(err, &missing) || missing.Feature != feature {
			t.Errorf("%v: got %v, want that %s is missing", b, err, feature)
		}
	}
}

func TestEncodeRefusesAWordItNeverSaw(t *testing.T) {
	_, _, err := small().Predict(bird(4000, "unsure"))
	if err == nil || err.Error() != `sex "unsure": want one of ["female" "male"]` {
		t.Errorf("got %v, want the choices", err)
	}
}

func TestPredictGivesProbabilities(t *testing.T) {
	best, p, err := small().Predict(bird(5000, "male"))
	if err != nil {
		t.Fatal(err)
	}
	// The logits are -2 and 2.5.
	if want := 1 / (1 + math.Exp(-4.5)); best != 1 || math.Abs(p[1]-want) > 1e-12 || math.Abs(p[0]+p[1]-1) > 1e-12 {
		t.Errorf("got class %d, %v, want 1 with %v", best, p, want)
	}
}

func TestMeasuringAgainHardlyChangesTheAnswerAndIsNoLottery(t *testing.T) {
	m := small()
	_, once, err := m.Predict(bird(4200, "female"))
	if err != nil {
		t.Fatal(err)
	}
	m.Again = &Again{Times: 1000, Spread: 0.05}
	best, first, err := m.Predict(bird(4200, "female"))
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := m.Predict(bird(4200, "female"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(first, second) {
		t.Errorf("the same bird gets %v, then %v", first, second)
	}
	if slices.Equal(once, first) || math.Abs(once[best]-first[best]) > 0.01 || math.Abs(first[0]+first[1]-1) > 1e-9 {
		t.Errorf("measured once %v, a thousand times %v: want nearly the same", once, first)
	}
	if _, _, err := m.Predict(bird(4200, "unsure")); err == nil {
		t.Error("a word that it never saw was no error")
	}
}

func TestReadRefusesAFileThatCannotServe(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":       `weights`,
		"empty":          `{}`,
		"no feature":     `{"version":"1","classes":["a","b"]}`,
		"odd feature":    `{"version":"1","classes":["a","b"],"features":[{"name":"year","std":1}]}`,
		"no deviation":   `{"version":"1","classes":["a","b"],"features":[{"name":"body_mass_g"}]}`,
		"few classes":    `{"version":"1","classes":["a","b"],"features":[{"name":"body_mass_g","std":1}],"weights":[[1,2]]}`,
		"short weights":  `{"version":"1","classes":["a","b"],"features":[{"name":"body_mass_g","std":1}],"weights":[[1,2],[1]]}`,
		"never measured": `{"version":"1","classes":["a","b"],"features":[{"name":"body_mass_g","std":1}],"weights":[[1,2],[1,2]],"again":{"times":0}}`,
		"endless":        `{"version":"1","classes":["a","b"],"features":[{"name":"body_mass_g","std":1}],"weights":[[1,2],[1,2]],"again":{"times":1e9}}`,
	} {
		path := filepath.Join(t.TempDir(), "model.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error that names the file", name, err)
		}
	}
}
