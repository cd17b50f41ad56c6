package githubtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

var variableOperations = map[string]func(*call) (answer, error){
	"actions/list-repo-variables":         (*call).listVariables,
	"actions/list-environment-variables":  (*call).listVariables,
	"actions/get-repo-variable":           (*call).getVariable,
	"actions/get-environment-variable":    (*call).getVariable,
	"actions/create-repo-variable":        (*call).createVariable,
	"actions/create-environment-variable": (*call).createVariable,
	"actions/update-repo-variable":        (*call).updateVariable,
	"actions/update-environment-variable": (*call).updateVariable,
	"actions/delete-repo-variable":        (*call).deleteVariable,
	"actions/delete-environment-variable": (*call).deleteVariable,
}

// variables are those of the environment that the path names, else the repository's.
func (c *call) variables() (values, error) {
	if _, ok := c.at.Params["environment_name"]; !ok {
		return c.repo.variables, nil
	}
	e, err := c.environment()
	if err != nil {
		return nil, err
	}
	return e.variables, nil
}

// variable is the one that the path names.
func (c *call) variable() (values, string, error) {
	all, err := c.variables()
	if err != nil {
		return nil, "", err
	}
	name := strings.ToUpper(c.at.Params["name"])
	if all[name] == nil {
		return nil, "", notFound()
	}
	return all, name, nil
}

func renderVariable(name string, v *value) object {
	return object{"name": name, "value": v.text, "created_at": stamp(v.created), "updated_at": stamp(v.updated)}
}

// listVariables has ten on a page and never more than thirty, unlike any other list.
func (c *call) listVariables() (answer, error) {
	all, err := c.variables()
	if err != nil {
		return answer{}, err
	}
	names := slices.Sorted(maps.Keys(all))
	render := func(name string) object { return renderVariable(name, all[name]) }
	return answer{status: http.StatusOK, value: object{"total_count": len(names), "variables": each(pageOf(c, names, 10, 30), render)}}, nil
}

func (c *call) getVariable() (answer, error) {
	all, name, err := c.variable()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: renderVariable(name, all[name])}, nil
}

func (c *call) createVariable() (answer, error) {
	all, err := c.variables()
	if err != nil {
		return answer{}, err
	}
	var in struct{ Name, Value string }
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := checkVariable(in.Name, in.Value); err != nil {
		return answer{}, err
	}
	if all[strings.ToUpper(in.Name)] != nil {
		return answer{}, &problem{status: http.StatusConflict, message: "Already exists - Variable already exists"}
	}
	all.set(in.Name, in.Value)
	return answer{status: http.StatusCreated, value: object{}}, nil
}

func checkVariable(name, text string) error {
	if len(text) > most {
		return unprocessable("Variable values can not be larger than 48 KB")
	}
	return checkName("Variable", name)
}

// updateVariable changes the value, or the name.
func (c *call) updateVariable() (answer, error) {
	all, name, err := c.variable()
	if err != nil {
		return answer{}, err
	}
	in := struct{ Name, Value string }{name, all[name].text}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := checkVariable(in.Name, in.Value); err != nil {
		return answer{}, err
	}
	if next := strings.ToUpper(in.Name); next != name {
		if all[next] != nil {
			return answer{}, &problem{status: http.StatusConflict, message: "Already exists - Variable already exists"}
		}
		all[next] = all[name]
		delete(all, name)
	}
	all.set(in.Name, in.Value)
	return answer{status: http.StatusNoContent}, nil
}

func (c *call) deleteVariable() (answer, error) {
	all, name, err := c.variable()
	if err != nil {
		return answer{}, err
	}
	delete(all, name)
	return answer{status: http.StatusNoContent}, nil
}
