package workflow

// scan looks for known vulnerabilities in the repository.
func (b *builder) scan() {
	s := b.s.Scan
	if s == nil {
		return
	}
	j := newJob("scan", s.Stage, timeoutScan)
	j.about, j.pulls, j.judges = "Looks for known vulnerabilities in the repository and in what it depends on.", true, true
	j.begin(s.Stage, s.Python, false)
	b.grype(j, "dir:.", "the repository")
	b.add(j.end(s.Stage))
}

// scanImage looks for them in what was pushed: in an image itself, in a model that is an artifact after it was unpacked.
func (b *builder) scanImage() {
	s, p := b.s.Scan, b.s.Package
	if s == nil || p == nil {
		return
	}
	j := newJob("scan-image", s.Stage, timeoutScan)
	j.about = "Looks for known vulnerabilities in what was pushed. Nothing is deployed before."
	j.needs = []string{"package"}
	if onGitHub(p.Image) {
		j.permit("packages", "read", "to pull")
	}
	j.begin(s.Stage, s.Python, false)
	login(j, p.Image, p.Dockerfile == "")
	target := "registry:${{ needs.package.outputs.image }}"
	if p.Dockerfile == "" {
		j.step(runs("Pull", fields{{name: "IMAGE", value: "${{ needs.package.outputs.image }}"}}, pullModel))
		target = "dir:${{ runner.temp }}/pulled"
	}
	b.grype(j, target, "what was pushed")
	b.add(j.end(s.Stage))
}

// grype installs the scanner and runs it. Where it is missing the job fails.
func (b *builder) grype(j *job, target, about string) {
	j.step(as("grype", uses(grypeAction, nil)))
	j.step(runs("Scan "+about, fields{
		{name: "GRYPE", value: "${{ steps.grype.outputs.cmd }}"},
		{name: "TARGET", value: target},
		{name: "FAIL_ON", value: b.s.Scan.FailOn},
	}, scanTarget))
}
