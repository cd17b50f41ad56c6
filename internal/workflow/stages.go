package workflow

import (
	"maps"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// test runs the project's tests. A matrix makes many checks of them, and one more, of which a name is known to those who
// require it.
func (b *builder) test() {
	t := b.s.Test
	if t == nil {
		return
	}
	j := newJob("test", t.Stage, timeoutTest)
	j.about, j.pulls, j.judges = "The project's own tests.", true, true
	version := t.Python
	if len(t.Matrix) > 0 {
		j.id, j.about = "test-matrix", "The project's own tests, once for each combination."
		for _, k := range slices.Sorted(maps.Keys(t.Matrix)) {
			var values list
			for _, v := range t.Matrix[k] {
				values = append(values, quoted(v))
			}
			j.matrix.add(k, values)
		}
		if _, ok := t.Matrix["python"]; ok {
			version = "${{ matrix.python }}"
		}
	}
	j.begin(t.Stage, version, b.cacheable(t.Stage))
	var env fields
	for _, m := range j.matrix {
		env.add("MATRIX_"+envName(m.name), "${{ matrix."+m.name+" }}")
	}
	j.step(runs("Test", env, t.Run))
	b.add(j.end(t.Stage))
	if len(t.Matrix) == 0 {
		return
	}
	gate := &job{
		id: "test", about: "Tells whether all of the matrix succeeded, under one name that a branch can require.",
		needs: []string{"test-matrix"}, pulls: true, judges: true, runsOn: []string{defaultRunner}, timeout: timeoutGate,
	}
	b.add(gate)
}

// cacheable reports whether the tests may keep packages between runs: where the job's token can only read, and not on branches
// that are released from.
func (b *builder) cacheable(s pipeline.Stage) bool {
	return len(s.Permissions) == 0 && !slices.ContainsFunc(b.s.Triggers.Push, func(branch string) bool {
		return strings.Contains(strings.ToLower(branch), "release")
	})
}

// data checks the dataset, and says which one it was.
func (b *builder) data() {
	d := b.s.Data
	if d == nil {
		return
	}
	j := newJob("data", d.Stage, timeoutData)
	j.about, j.pulls, j.judges = "Fetches the dataset and checks it.", true, true
	if d.Dataset == "" {
		j.about = "Checks the data."
	}
	j.begin(d.Stage, b.pythonOf(d.Stage, d.Validate != ""), false)
	if d.Dataset != "" {
		b.dataset(j, "")
		j.outputs.add("dataset_sha256", "${{ steps.dataset.outputs.sha256 }}")
	}
	if d.Validate != "" {
		j.step(runs("Validate", nil, d.Validate))
	}
	b.add(j.end(d.Stage))
}

// dataset fetches the dataset into a job and takes its digest, or fails if that is not the wanted one.
func (b *builder) dataset(j *job, want string) {
	kind, at, _ := strings.Cut(b.s.Data.Dataset, ":")
	j.env.add("DATASET", at)
	if kind == "dvc" {
		j.step(runs("Fetch the dataset", nil, fetchDVC))
	}
	if want != "" {
		j.step(runs("The dataset is the one that was validated", fields{{name: "WANT", value: want}}, digestOfDataset+sameDataset))
		return
	}
	j.step(as("dataset", runs("Digest of the dataset", nil, digestOfDataset+tellDataset)))
}

// train makes the model, and hands it on with its digest.
func (b *builder) train() {
	t := b.s.Train
	if t == nil {
		return
	}
	j := newJob("train", t.Stage, timeoutTrain)
	j.about, j.pulls = "Makes the model.", true
	j.needs = b.after([]string{"test", "data"}, "data")
	j.begin(t.Stage, b.pythonOf(t.Stage, true), false)
	if b.s.Data != nil && b.s.Data.Dataset != "" {
		b.dataset(j, "${{ needs.data.outputs.dataset_sha256 }}")
	}
	j.step(as("train", runs("Train", nil, t.Run)))
	for _, o := range t.Outputs {
		j.outputs.add(o, "${{ steps.train.outputs."+o+" }}")
	}
	var env fields
	if b.s.Package != nil {
		env.add("MODEL", b.s.Package.Model)
	}
	if b.s.Evaluate != nil {
		env.add("METRICS", b.s.Evaluate.Metrics)
	}
	if len(env) > 0 {
		j.step(noted("Who gets these files later checks them against the digests.", as("made", runs("What was made", env, made(b.s)))))
	}
	if b.s.Package != nil {
		j.outputs.add("model_sha256", "${{ steps.made.outputs.model_sha256 }}")
		j.step(upload("model", "${{ runner.temp }}/model.tar", retentionHandover))
	}
	if b.s.Evaluate != nil {
		j.outputs.add("metrics_sha256", "${{ steps.made.outputs.metrics_sha256 }}")
		j.step(upload("metrics", b.s.Evaluate.Metrics, retentionEvidence))
	}
	b.add(j.end(t.Stage))
}

// trained gives a job what the training told, if it has steps of the user's that could want it.
func (b *builder) trained(j *job, s pipeline.Stage) {
	if !b.tells(s) {
		return
	}
	for _, o := range b.s.Train.Outputs {
		j.env.add("TRAIN_"+envName(o), "${{ needs.train.outputs."+o+" }}")
	}
}

// evaluate holds the metrics against the rules.
func (b *builder) evaluate() {
	e := b.s.Evaluate
	if e == nil {
		return
	}
	j := newJob("evaluate", e.Stage, timeoutEvaluate)
	j.about, j.pulls, j.judges = "Fails unless the model is good enough. A metric that is missing is never good enough.", true, true
	j.needs = b.after([]string{"train"})
	b.trained(j, e.Stage)
	j.begin(e.Stage, b.pythonOf(e.Stage, false), false)
	if b.s.Train != nil {
		j.step(download("metrics", handedOver))
		j.step(runs("The metrics are those of the training", fields{
			{name: "METRICS", value: clean(e.Metrics)},
			{name: "WANT", value: "${{ needs.train.outputs.metrics_sha256 }}"},
		}, sameMetrics))
	}
	j.step(tidegate("evaluate", rules(e)))
	b.add(j.end(e.Stage))
}

func (b *builder) tells(s pipeline.Stage) bool {
	return b.s.Train != nil && len(b.s.Train.Outputs) > 0 && len(s.Steps) > 0
}

// envName is how a name is written in the environment.
func envName(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "_")) }

// rules are the Action's inputs for an evaluation.
func rules(e *pipeline.Evaluate) fields {
	with := fields{{name: "metrics", value: e.Metrics}}
	with.addIf("reference", e.Reference)
	with.addIf("min", script(limits(e.Min)))
	with.addIf("max", script(limits(e.Max)))
	with.addIf("max_regression", script(regressions(e)))
	return with
}
