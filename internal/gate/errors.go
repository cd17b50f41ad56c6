package gate

// Errors judges by the share of bad answers.
type Errors struct {
	Alpha     float64  // bound on the chance that a harmless candidate ever fails
	Beta      float64  // bound on the chance that one beyond the margin passes a step
	Tolerance float64  // w0: odds ratio that still counts as harmless, 1.1
	Steps     []Margin // Steps[i] is what a pass at step i must show: the margin of the level it approves
}

// ErrorEvidence is all that Errors remembers. It is a value: Observe returns another.
type ErrorEvidence struct {
	Seen Window `json:"seen"`
	// Harm holds ln of the factors, a row for the whole rollout (E_0) and one a step (E_k),
	// a column a grid point.
	Harm [][]float64 `json:"harm"`
	// Rel holds ln E_rel, one a step's margin.
	Rel []float64 `json:"rel"`
}

// Start returns the evidence before the first window: none.
func (g Errors) Start() ErrorEvidence { panic("contract only") }

// Observe returns the evidence after a window that was seen in step (0-based).
func (g Errors) Observe(e ErrorEvidence, step int, w Window) ErrorEvidence { panic("contract only") }

// Judge says what the evidence means for leaving step.
func (g Errors) Judge(e ErrorEvidence, step int) Verdict { panic("contract only") }
