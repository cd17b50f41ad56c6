package workflow

import (
	"path"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
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
	if p.SBOM != "" && p.Provenance {
		j.outputs.add("digest", "${{ steps.push.outputs.digest }}")
	}
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
	b.vouch(j)
	b.add(j.end(p.Stage))
	b.bill()
}

func (b *builder) packagePermissions(j *job) {
	p := b.s.Package
	b.packages(j, "write", "to push")
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
	j.step(download("model", handedOver))
	env.add("WANT", "${{ needs.train.outputs.model_sha256 }}")
	j.step(runs("The model is that of the training", env, sameModel))
}

// vouch signs what was pushed, and says what it was made from.
func (b *builder) vouch(j *job) {
	p := b.s.Package
	if p.Sign != "" {
		j.step(uses(cosignAction, nil))
		j.step(noted("Keyless: the certificate names this workflow.", runs("Sign", fields{{name: "IMAGE", value: "${{ steps.push.outputs.image }}"}}, signImage)))
	}
	if p.Provenance {
		j.step(noted("Provenance: which commit and which workflow this was made from.", uses(attestAction, subject(p, "${{ steps.push.outputs.digest }}"))))
	}
}

// subject is what is attested of, by its digest.
func subject(p *pipeline.Package, digest string) fields {
	return fields{
		{name: "subject-name", value: p.Image},
		{name: "subject-digest", value: digest},
		{name: "push-to-registry", value: true},
		{name: "create-storage-record", value: false, note: "which would take one more permission"},
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
