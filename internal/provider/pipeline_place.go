package provider

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// place is where m's file is: a repository by its full name, or an absolute folder. A repository without an owner stays
// as it is while the provider block is unknown.
func (r *pipelineResource) place(m pipelineModel) (pipeline.Place, error) {
	p := pipeline.Place{Repository: m.Repository.ValueString(), Path: m.Path.ValueString()}
	if dir := m.Directory.ValueString(); dir != "" {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(r.root, dir)
		}
		p.Directory = filepath.Clean(dir)
	}
	if p.Repository == "" {
		return p, nil
	}
	full, err := r.repository(p.Repository)
	if errors.Is(err, errUnknown) {
		return p, nil
	}
	p.Repository = full
	return p, err
}

// address is the id of the pipeline at p; folders are written as the configuration has them.
func (m pipelineModel) address(p pipeline.Place) string {
	if p.Repository != "" {
		return "github/" + p.Repository + "/" + p.Path
	}
	return "directory/" + m.Directory.ValueString() + "/" + p.Path
}

// where is a place for people.
func where(p pipeline.Place) string {
	if p.Directory != "" {
		return filepath.Join(p.Directory, p.Path)
	}
	return p.Repository + ":" + p.Path
}

const folderOfWorkflows = ".github/workflows/"

// branchOf takes the branch off what a pipeline is imported by: "acme/fraud:PATH@release"; "" for the default one.
func branchOf(s string) (address, branch string) {
	at := strings.LastIndex(s, folderOfWorkflows)
	if end := strings.Index(s[max(at, 0):], "@"); at >= 0 && end >= 0 {
		return s[:at+end], s[at+end+1:]
	}
	return s, ""
}

// pipelineAddress takes apart what a pipeline is imported by: "acme/fraud:PATH", "../fraud:PATH", or an id.
func pipelineAddress(s string) (id pipelineIdentity, err error) {
	wrong := fmt.Errorf("%q: want OWNER/NAME:%[2]sNAME.yml, FOLDER:%[2]sNAME.yml or the id of a tidegate_pipeline; a folder begins with ./, ../ or /, "+
		"and @BRANCH may follow where it is not the default one",
		s, folderOfWorkflows)
	at := strings.LastIndex(s, folderOfWorkflows)
	if at < 2 {
		return id, wrong
	}
	place, separator, path := s[:at-1], s[at-1], s[at:]
	if err := checkWorkflowPath(path); err != nil {
		return id, err
	}
	id.Path = types.StringValue(path)
	folder := strings.HasPrefix(place, ".") || strings.HasPrefix(place, "/")
	if separator == '/' { // an id
		kind, rest, _ := strings.Cut(place, "/")
		place, folder = rest, kind == "directory"
		if kind != "github" && kind != "directory" {
			return id, wrong
		}
	} else if separator != ':' {
		return id, wrong
	}
	switch {
	case folder && place != "":
		id.Directory = types.StringValue(place)
	case !folder && checkRepository(place) == nil:
		id.Repository = types.StringValue(place)
	default:
		return id, wrong
	}
	return id, nil
}

var repository = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]{0,99}/)?[A-Za-z0-9._-]{1,100}$`)

func checkRepository(s string) error {
	if name := s[strings.LastIndex(s, "/")+1:]; !repository.MatchString(s) || strings.Trim(name, ".") == "" {
		return fmt.Errorf("%q: want OWNER/NAME, such as acme/fraud, or NAME where the provider block has an owner", s)
	}
	return nil
}

var workflowFile = regexp.MustCompile(`^[A-Za-z0-9 ._-]+\.ya?ml$`)

// checkWorkflowPath wants what GitHub reads workflows from: files, never folders, in one folder.
func checkWorkflowPath(s string) error {
	name, ok := strings.CutPrefix(s, folderOfWorkflows)
	if !ok || !workflowFile.MatchString(name) {
		return fmt.Errorf("%q: want %sNAME.yml: GitHub reads workflows there and nowhere else", s, folderOfWorkflows)
	}
	return nil
}
