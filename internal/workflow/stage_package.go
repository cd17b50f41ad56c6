package workflow

import (
	"path"
	"slices"
	"strings"
)

// publish puts the model into a registry. Its digest is what all jobs after it speak of.
func (b *builder) publish() {
	p := b.s.Package
	if p == nil {
		return
	}
	j := newJob("package", p.Stage, timeoutPackage)
	j.about = "Puts the model into the registry. Later jobs get its digest: a tag could be moved to something else meanwhile."
	j.needs = b.after([]string{"test", "data", "train", "evaluate", "scan"}, "train")
	j.outputs = fields{{name: "image", value: "${{ steps.push.outputs.image }}", note: "NAME@DIGEST"}}
	b.trained(j, p.Stage)
	b.packagePermissions(j)
	j.begin(p.Stage, b.pythonOf(p.Stage, false), false)
	b.model(j)
	login(j, p.Image, p.Dockerfile == "")
	env := fields{{name: "IMAGE", value: p.Image}}
	if p.Dockerfile != "" {
		j.step(uses(buildxAction, nil))
		env.add("DOCKERFILE", p.Dockerfile)
		j.step(as("push", runs("Build and push", env, pushImage)))
	}
	if p.Dockerfile == "" {
		env.add("MODEL", clean(p.Model))
		j.step(as("push", runs("Push", env, pushModel)))
	}
	b.describe(j)
	b.add(j.end(p.Stage))
}

func (b *builder) packagePermissions(j *job) {
	p := b.s.Package
	if onGitHub(p.Image) {
		j.permit("packages", "write", "to push")
	}
	if p.Sign != "" || p.Provenance {
		j.permit("id-token", "write", "to sign as this workflow")
	}
	if p.Provenance {
		j.permit("attestations", "write", "to keep the provenance")
	}
}

// model has the model in a job, as a folder and as model.tar.
func (b *builder) model(j *job) {
	env := fields{{name: "MODEL", value: clean(b.s.Package.Model)}}
	if b.s.Train == nil {
		j.step(runs("The model", env, packModel))
		return
	}
	j.step(download("model", "${{ runner.temp }}"))
	env.add("WANT", "${{ needs.train.outputs.model_sha256 }}")
	j.step(runs("The model is that of the training", env, sameModel))
}

// describe makes what tells others of what was pushed: what is in it, who made it, and how.
func (b *builder) describe(j *job) {
	p := b.s.Package
	image := field{name: "IMAGE", value: "${{ steps.push.outputs.image }}"}
	if p.SBOM != "" {
		source := "dir:."
		if p.Dockerfile != "" {
			source = "registry:${{ steps.push.outputs.image }}"
		}
		j.step(as("syft", uses(syftAction, nil)))
		j.step(runs("Software bill of materials", fields{
			{name: "SYFT", value: "${{ steps.syft.outputs.cmd }}"}, {name: "FORMAT", value: p.SBOM}, {name: "SOURCE", value: source}, image,
		}, makeSBOM))
		j.step(upload("sbom", "${{ runner.temp }}/sbom.json", retentionEvidence))
	}
	if p.Sign != "" {
		j.step(uses(cosignAction, nil))
		j.step(noted("Keyless: the certificate names this workflow.", runs("Sign", fields{image}, signImage)))
	}
	if p.Sign != "" && p.SBOM != "" && !p.Provenance {
		kind := "spdxjson"
		if p.SBOM == "cyclonedx-json" {
			kind = "cyclonedx"
		}
		j.step(runs("Attest the bill of materials", fields{image, {name: "KIND", value: kind}}, attestSBOM))
	}
	if !p.Provenance {
		return
	}
	subject := fields{
		{name: "subject-name", value: p.Image},
		{name: "subject-digest", value: "${{ steps.push.outputs.digest }}"},
		{name: "push-to-registry", value: true},
		{name: "create-storage-record", value: false, note: "which would take one more permission"},
	}
	j.step(noted("Provenance: which commit and which workflow this was made from.", uses(attestAction, subject)))
	if p.SBOM != "" {
		j.step(noted("The same for the bill of materials.", uses(attestAction, append(slices.Clone(subject), field{name: "sbom-path", value: "${{ runner.temp }}/sbom.json"}))))
	}
}

// onGitHub reports whether an image is in GitHub's own registry, for which a job has a token.
func onGitHub(image string) bool { return strings.HasPrefix(image, "ghcr.io/") }

// login signs a job in to GitHub's registry. Others have their own ways, which are the user's steps.
func login(j *job, image string, withOras bool) {
	env := fields{{name: "TOKEN", value: "${{ github.token }}"}}
	if withOras {
		j.step(uses(orasAction, nil))
	}
	switch {
	case !onGitHub(image):
	case withOras:
		j.step(runs("Sign in to the registry", env, loginOras))
	default:
		j.step(runs("Sign in to the registry", env, loginDocker))
	}
}

// clean writes a path without what it does not need.
func clean(p string) string {
	if p == "" {
		return ""
	}
	return path.Clean(p)
}
