package data

import "testing"

func TestLoadReadsEveryPenguinAndKeepsWhatIsMissing(t *testing.T) {
	rows, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	species := map[string]int{}
	incomplete, empty := 0, 0
	for _, row := range rows {
		species[row.Species]++
		if !row.Complete() {
			incomplete++
		}
		if len(row.Numbers) == 0 {
			empty++
		}
	}
	if len(rows) != 344 || species["Adelie"] != 152 || species["Chinstrap"] != 68 || species["Gentoo"] != 124 {
		t.Errorf("got %d rows of %v, want 344 of 152 Adelie, 68 Chinstrap and 124 Gentoo", len(rows), species)
	}
	if incomplete != 11 || empty != 2 {
		t.Errorf("%d rows lack a value and %d all measurements, want 11 and 2", incomplete, empty)
	}
	if got := rows[0].Numbers["bill_length_mm"]; got != 39.1 {
		t.Errorf("the first bill is %v mm long, want 39.1", got)
	}
	if got := rows[0].Words["island"]; got != "Torgersen" {
		t.Errorf("the first penguin is from %q, want Torgersen", got)
	}
}
