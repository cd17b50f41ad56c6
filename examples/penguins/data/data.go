// Package data is the Palmer penguins: 344 birds of three species, 11 of them with values
// that nobody recorded.
package data

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
)

//go:embed penguins.csv
var file []byte

// Columns that a model may use, in the order of the file.
var (
	Numbers = []string{"bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"}
	Words   = []string{"island", "sex"}
)

// A Bird is what was measured of one penguin. A value that was not recorded is not in its map.
type Bird struct {
	Numbers map[string]float64 `json:"numbers"` // "bill_length_mm": 39.1
	Words   map[string]string  `json:"words"`   // "island": "Torgersen"
}

// Complete reports whether every value was recorded.
func (b Bird) Complete() bool {
	return len(b.Numbers) == len(Numbers) && len(b.Words) == len(Words)
}

// A Row is a bird with its species.
type Row struct {
	Bird
	Species string
}

// Load returns all rows in the order of the file.
func Load() ([]Row, error) {
	records, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read penguins.csv: %w", err)
	}
	header := records[0]
	rows := make([]Row, 0, len(records)-1)
	for i, record := range records[1:] {
		row, err := parse(header, record)
		if err != nil {
			return nil, fmt.Errorf("read penguins.csv, line %d: %w", i+2, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func parse(header, record []string) (Row, error) {
	row := Row{Bird: Bird{Numbers: map[string]float64{}, Words: map[string]string{}}}
	for i, name := range header {
		value := record[i]
		switch {
		case value == "NA":
		case name == "species":
			row.Species = value
		case slices.Contains(Words, name):
			row.Words[name] = value
		case slices.Contains(Numbers, name):
			x, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return Row{}, fmt.Errorf("column %s: %w", name, err)
			}
			row.Numbers[name] = x
		}
	}
	return row, nil
}
