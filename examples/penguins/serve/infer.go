package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/classifier"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/protocol"
)

// What one request may hold.
const (
	maxBody = 1 << 20 // bytes
	maxRows = 1000
)

// The output tensors.
const (
	outputSpecies       = "species"
	outputProbabilities = "probabilities"
)

func (s *server) infer(w http.ResponseWriter, r *http.Request) (any, error) {
	request, err := readRequest(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, err
	}
	birds, err := protocol.Birds(request.Inputs, maxRows)
	if err != nil {
		return nil, problem(http.StatusBadRequest, "%v", err)
	}
	if err := s.needs(request.Inputs); err != nil {
		return nil, err
	}
	wanted, err := outputs(request.Outputs)
	if err != nil {
		return nil, err
	}
	tensors, err := s.predict(birds)
	if err != nil {
		return nil, err
	}
	response := protocol.Response{ModelName: s.name, ModelVersion: s.model.Version, ID: request.ID}
	for _, t := range tensors {
		if slices.Contains(wanted, t.Name) {
			response.Outputs = append(response.Outputs, t)
		}
	}
	return response, nil
}

func readRequest(body io.Reader) (protocol.Request, error) {
	var request protocol.Request
	b, err := io.ReadAll(body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return request, problem(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", maxBody)
	}
	if err != nil {
		return request, problem(http.StatusBadRequest, "cannot read the body: %v", err)
	}
	if err := json.Unmarshal(b, &request); err != nil {
		return request, problem(http.StatusBadRequest, "the body is no inference request: %v", err)
	}
	return request, nil
}

// needs checks that every column which the model uses was sent. Columns that this version does
// not use are welcome: clients need not know which version answers.
func (s *server) needs(inputs []protocol.Tensor) error {
	for _, f := range s.model.Features {
		if !slices.ContainsFunc(inputs, func(t protocol.Tensor) bool { return t.Name == f.Name }) {
			return problem(http.StatusBadRequest, "no input %q: the model needs it; send null for what was not recorded", f.Name)
		}
	}
	return nil
}

// outputs returns the names of the tensors that are wanted.
func outputs(asked []protocol.Output) ([]string, error) {
	all := []string{outputSpecies, outputProbabilities}
	if len(asked) == 0 {
		return all, nil
	}
	var wanted []string
	for _, o := range asked {
		if !slices.Contains(all, o.Name) {
			return nil, problem(http.StatusBadRequest, "no output %q: want one of %q", o.Name, all)
		}
		wanted = append(wanted, o.Name)
	}
	return wanted, nil
}

// predict classifies birds. A word that the model never saw is the caller's mistake; a value
// that the model cannot do without is the model's, and ends as a 500.
func (s *server) predict(birds []data.Bird) ([]protocol.Tensor, error) {
	species := make([]string, len(birds))
	var probabilities []float64
	for i, b := range birds {
		best, p, err := s.model.Predict(b)
		var unknown *classifier.UnknownWordError
		if errors.As(err, &unknown) {
			return nil, problem(http.StatusBadRequest, "row %d: %v", i, err)
		}
		if err != nil {
			return nil, fmt.Errorf("encode row %d: %w", i, err)
		}
		species[i] = s.model.Classes[best]
		probabilities = append(probabilities, p...)
	}
	words, err := json.Marshal(species)
	if err != nil {
		return nil, err
	}
	numbers, err := json.Marshal(probabilities)
	if err != nil {
		return nil, err
	}
	return []protocol.Tensor{
		{Name: outputSpecies, Datatype: protocol.Word, Shape: []int{len(birds)}, Data: words},
		{Name: outputProbabilities, Datatype: protocol.Number, Shape: []int{len(birds), len(s.model.Classes)}, Data: numbers},
	}, nil
}
