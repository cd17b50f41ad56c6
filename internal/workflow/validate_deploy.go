package workflow

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// imageForm is a repository of an OCI registry: its host, perhaps a port, and a path.
var imageForm = regexp.MustCompile(`^(?:localhost(?::[0-9]{1,5})?|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+(?::[0-9]{1,5})?|:[0-9]{1,5}))` +
	`(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+$`)

func (c *checker) publish(p *pipeline.Package) {
	where := at{"package"}
	c.stage(where, p.Stage)
	last := p.Image[strings.LastIndex(p.Image, "/")+1:]
	switch {
	case !c.line(where.in("image"), p.Image, 255):
	case strings.ContainsAny(last, ":@") && strings.Contains(p.Image, "/"):
		c.bad(where.in("image"), "An image is named without tag and digest", "image is %q: want %q. Each model gets its commit for a tag, and deploys use its digest.",
			p.Image, p.Image[:len(p.Image)-len(last)]+last[:strings.IndexAny(last, ":@")])
	case !imageForm.MatchString(p.Image):
		c.bad(where.in("image"), "This is no image of a registry", `image is %q: want REGISTRY/NAME in lower case, such as "ghcr.io/acme/fraud".`, p.Image)
	}
	if p.Model == "" {
		c.bad(where.in("model"), "There is no model to package", `Set model, the file or folder that train makes or that is in the repository, such as "out/".`)
	}
	if p.Model != "" {
		c.file(where.in("model"), p.Model, false)
	}
	if p.Dockerfile != "" {
		c.file(where.in("dockerfile"), p.Dockerfile, false)
	}
	if p.SBOM != "" {
		c.oneOf(where.in("sbom"), p.SBOM, "spdx-json", "cyclonedx-json")
	}
	if p.Sign != "" {
		c.oneOf(where.in("sign"), p.Sign, "keyless")
	}
}

var (
	deployName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?$`)
	variable   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,100}$`)
	roleARN    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,500}$`)
	region     = regexp.MustCompile(`^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$`)
	identities = regexp.MustCompile(`^projects/[0-9]+/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}$`)
	account    = regexp.MustCompile(`^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com$`)
	guid       = regexp.MustCompile(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

func (c *checker) deploys() {
	c.sameNames("deploy", len(c.s.Deploys), func(i int) string { return c.s.Deploys[i].Name })
	for i, d := range c.s.Deploys {
		c.deploy(at{"deploy", i}, d)
	}
	c.circles()
}

func (c *checker) deploy(where at, d pipeline.Deploy) {
	c.stage(where, d.Stage)
	if !deployName.MatchString(d.Name) {
		c.bad(where.in("name"), "This is no name of a deploy", `name is %q: want 1 to 50 lower-case letters, digits and -, such as "prod-eu".`, d.Name)
	}
	c.file(where.in("root"), d.Root, true)
	if d.Environment != "" {
		c.environmentName(where.in("environment"), d.Environment)
	}
	if d.ImageVariable != "" && !variable.MatchString(d.ImageVariable) {
		c.bad(where.in("image_variable"), "This is no name of a variable", `image_variable is %q: want the name of a variable of the root module, such as "image".`, d.ImageVariable)
	}
	if d.ImageVariable != "" && c.s.Package == nil {
		c.bad(where.in("image_variable"), "There is no image", "image_variable is %q, and nothing is packaged: add package, or leave image_variable out.", d.ImageVariable)
	}
	for i, e := range d.Promote {
		at := where.in("promote", i)
		if c.line(at, e, 500) && (strings.TrimSpace(e) != e || e == "" || strings.HasPrefix(e, "[")) {
			c.bad(at, "This is no endpoint", `promote has %q: want the name or the id of an endpoint, such as "fraud".`, e)
		}
	}
	c.clouds(where, d)
}

func (c *checker) clouds(where at, d pipeline.Deploy) {
	form := func(block, name, value, example string, is *regexp.Regexp) {
		if !is.MatchString(value) {
			c.bad(where.in(block, name), "The cloud knows no such thing", "%s is %q: want one such as %q.", name, value, example)
		}
	}
	if a := d.AWS; a != nil {
		form("aws", "role_arn", a.RoleARN, "arn:aws:iam::123456789012:role/deploy", roleARN)
		if a.PlanRoleARN != "" {
			form("aws", "plan_role_arn", a.PlanRoleARN, "arn:aws:iam::123456789012:role/plan", roleARN)
		}
		if a.Region != "" {
			form("aws", "region", a.Region, "eu-west-1", region)
		}
	}
	if g := d.GCP; g != nil {
		form("gcp", "workload_identity_provider", g.WorkloadIdentityProvider, "projects/123/locations/global/workloadIdentityPools/github/providers/acme", identities)
		if g.ServiceAccount != "" {
			form("gcp", "service_account", g.ServiceAccount, "deploy@acme.iam.gserviceaccount.com", account)
		}
		if g.PlanServiceAccount != "" {
			form("gcp", "plan_service_account", g.PlanServiceAccount, "plan@acme.iam.gserviceaccount.com", account)
		}
	}
	if a := d.Azure; a != nil {
		const example = "00000000-0000-0000-0000-000000000000"
		form("azure", "client_id", a.ClientID, example, guid)
		if a.PlanClientID != "" {
			form("azure", "plan_client_id", a.PlanClientID, example, guid)
		}
		form("azure", "tenant_id", a.TenantID, example, guid)
		form("azure", "subscription_id", a.SubscriptionID, example, guid)
	}
}

// circles finds deploys that wait for none, or for themselves.
func (c *checker) circles() {
	needs := map[string][]string{}
	var names []string
	for _, d := range c.s.Deploys {
		needs[d.Name] = d.Needs
		names = append(names, d.Name)
	}
	for i, d := range c.s.Deploys {
		for j, n := range d.Needs {
			where := at{"deploy", i, "needs", j}
			others := slices.DeleteFunc(slices.Clone(names), func(o string) bool { return o == d.Name })
			_, known := needs[n]
			switch {
			case !known && len(others) == 0:
				c.bad(where, "A deploy waits for none", "needs of %q has %q, and there is no other deploy: leave it out. Stages before a deploy are waited for anyway.", d.Name, n)
			case !known:
				c.bad(where, "A deploy waits for none", "needs of %q has %q: want %s. Stages before a deploy are waited for anyway.", d.Name, n, or(others))
			case n == d.Name:
				c.bad(where, "A deploy waits for itself", "needs of %q has %q: leave it out.", d.Name, n)
			case reaches(needs, n, d.Name, map[string]bool{}):
				c.bad(where, "Deploys wait for each other", "needs of %q has %q, which waits for %q: none of them would ever begin.", d.Name, n, d.Name)
			case slices.Index(d.Needs, n) < j:
				c.bad(where, "A deploy is waited for twice", "needs of %q has %q twice: leave one out.", d.Name, n)
			}
		}
	}
}

func reaches(needs map[string][]string, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(needs[from], func(n string) bool { return reaches(needs, n, to, seen) })
}
