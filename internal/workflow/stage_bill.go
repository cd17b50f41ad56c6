package workflow

import "github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"

// bill makes the bill of materials of what was pushed, and attests it: two jobs, since the action that installs syft runs a
// script that is pinned to nothing. It gets a token that only reads; who signs gets a file and its digest.
func (b *builder) bill() {
	p := b.s.Package
	if p.SBOM == "" {
		return
	}
	own := b.besides(p.Dockerfile != "")
	j := newJob("sbom", own, timeoutSBOM)
	j.about = "Says what is in what was pushed. Its token can only read: the scanner is nobody who may sign."
	j.needs = b.billNeeds(p.Dockerfile != "", p.Dockerfile == "")
	j.outputs = fields{{name: "sha256", value: "${{ steps.sbom.outputs.sha256 }}"}}
	b.trained(j, own)
	if p.Dockerfile != "" {
		b.packages(j, "read", "to pull")
	}
	j.begin(own, b.pythonOf(own, false), false)
	source := "dir:."
	if p.Dockerfile != "" {
		source = "registry:${{ needs.package.outputs.image }}"
		login(j, p.Image, false)
	}
	if p.Dockerfile == "" && b.s.Train != nil {
		b.model(j)
	}
	j.step(as("syft", uses(syftAction, nil)))
	j.step(as("sbom", runs("Software bill of materials", fields{
		{name: "SYFT", value: "${{ steps.syft.outputs.cmd }}"}, {name: "FORMAT", value: p.SBOM}, {name: "SOURCE", value: source}, pushedImage,
	}, makeSBOM)))
	j.step(upload("sbom", "${{ runner.temp }}/sbom.json", retentionEvidence))
	b.add(j.end(own))
	b.attest()
}

var pushedImage = field{name: "IMAGE", value: "${{ needs.package.outputs.image }}"}

// attest signs that the bill of materials is that of what was pushed.
func (b *builder) attest() {
	p := b.s.Package
	if p.Sign == "" && !p.Provenance {
		return
	}
	own := b.besides(true)
	j := newJob("attest", own, timeoutAttest)
	j.about = "Signs that the bill of materials is that of what was pushed."
	j.needs = append(b.billNeeds(true, false), "sbom")
	j.permissions = nil // of the repository nothing is needed, unless by the user's steps
	if len(own.Steps) > 0 {
		j.permit("contents", "read", "to check out")
		b.trained(j, own)
		j.begin(own, b.pythonOf(own, false), false)
	}
	b.packages(j, "write", "to put the signature beside what was pushed")
	j.permit("id-token", "write", "to sign as this workflow")
	if p.Provenance {
		j.permit("attestations", "write", "to keep the attestation")
	}
	j.step(download("sbom", handedOver))
	j.step(runs("The bill of materials is the one that was made", fields{{name: "WANT", value: "${{ needs.sbom.outputs.sha256 }}"}}, sameSBOM))
	login(j, p.Image, p.Dockerfile == "")
	if p.Provenance {
		j.step(uses(attestAction, append(subject(p, "${{ needs.package.outputs.digest }}"), field{name: "sbom-path", value: handedOver + "/sbom.json"})))
		b.add(j.end(own))
		return
	}
	kind := "spdxjson"
	if p.SBOM == "cyclonedx-json" {
		kind = "cyclonedx"
	}
	j.step(uses(cosignAction, nil))
	j.step(runs("Attest", fields{pushedImage, {name: "KIND", value: kind}}, attestSBOM))
	b.add(j.end(own))
}

// besides is what a job besides that of the package takes from its stage: the machine, and for a registry that is not GitHub's
// the steps before the work, for they sign in to it.
func (b *builder) besides(registry bool) pipeline.Stage {
	p := b.s.Package
	s := pipeline.Stage{RunsOn: p.RunsOn}
	if !registry || onGitHub(p.Image) {
		return s
	}
	for _, step := range p.Steps {
		if !step.After {
			s.Env, s.Permissions, s.Steps = p.Env, p.Permissions, append(s.Steps, step)
		}
	}
	return s
}

func (b *builder) billNeeds(registry, model bool) []string {
	needs := []string{"package"}
	if model && b.s.Train != nil || b.tells(b.besides(registry)) {
		needs = append(needs, "train")
	}
	return needs
}

// packages gives a job a token for GitHub's registry, if that is where the image is.
func (b *builder) packages(j *job, level, why string) {
	if onGitHub(b.s.Package.Image) {
		j.permit("packages", level, why)
	}
}
