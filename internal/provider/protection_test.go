package provider

import (
	"strings"
	"testing"
)

func TestDeletionProtection(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "v1"})
	protected := strings.Replace(penguins("v1", "deletion_protection = true"), "local {}", "local {}\n deletion_protection = true", 1)
	s.config(protected)
	s.apply().ok()
	url := s.text(endpointAddress, "url")
	s.destroy().fails().says(`Deletion protection of endpoint "penguins" is on`,
		"set deletion_protection = false, apply that, then delete it")
	s.config(strings.Replace(protected, `name    = "penguins"`, `name    = "pinguine"`, 1))
	s.plan().fails().says("Another name replaces it")
	s.terraform("state", "rm", endpointAddress).ok()
	s.destroy().fails().says(`Deletion protection of cluster "here" is on`)
	s.terraform("import", endpointAddress, "local/here/penguins").ok()
	serves(t, url, "v1")
	s.config(penguins("v1"))
	s.apply().ok()
	s.destroy().ok()
}

func TestClusterWithEndpointsIsNotDeleted(t *testing.T) {
	s := newStage(t)
	url := s.up()
	s.terraform("state", "rm", endpointAddress).ok()
	s.destroy().fails().says(`Cannot delete cluster "here"`, "penguins")
	serves(t, url, "v1")
}
