package githubtest

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/nacl/box"
)

// secrets of a repository or an environment. GitHub never tells them; a test may see them.
type secrets struct {
	id              int64 // of the key
	public, private *[32]byte
	byName          map[string]*value // in capitals
}

// A value of a secret or a variable.
type value struct {
	text             string
	created, updated time.Time
}

// values are variables by their names, in capitals.
type values map[string]*value

func newSecrets(id int64) secrets {
	s := secrets{id: 500000000000000000 + id, byName: map[string]*value{}}
	s.public, s.private, _ = box.GenerateKey(rand.Reader) // never fails
	return s
}

// set stores a value under a name that GitHub spells in capitals, and says whether it is a new one.
func (v values) set(name, text string) bool {
	name = strings.ToUpper(name)
	old := v[name]
	if old == nil {
		v[name] = &value{text, now(), now()}
		return true
	}
	old.text, old.updated = text, later(old.updated)
	return false
}

// most is what a secret or a variable can hold.
const most = 48 << 10

var valueName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// named says what is wrong with the name of a secret or a variable.
func checkName(kind, name string) error {
	if strings.HasPrefix(strings.ToUpper(name), "GITHUB_") {
		return unprocessable(kind + " names must not start with GITHUB_.")
	}
	if !valueName.MatchString(name) {
		return unprocessable(kind + " names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or underscores (_). Spaces are not allowed. Must start with a letter ([a-z], [A-Z]) or underscores (_).")
	}
	return nil
}

var secretOperations = map[string]func(*call) (answer, error){
	"actions/get-repo-public-key":                 (*call).publicKey,
	"actions/get-environment-public-key":          (*call).publicKey,
	"actions/list-repo-secrets":                   (*call).listSecrets,
	"actions/list-environment-secrets":            (*call).listSecrets,
	"actions/get-repo-secret":                     (*call).getSecret,
	"actions/get-environment-secret":              (*call).getSecret,
	"actions/create-or-update-repo-secret":        (*call).putSecret,
	"actions/create-or-update-environment-secret": (*call).putSecret,
	"actions/delete-repo-secret":                  (*call).deleteSecret,
	"actions/delete-environment-secret":           (*call).deleteSecret,
}

// secrets are those of the environment that the path names, else the repository's.
func (c *call) secrets() (secrets, error) {
	if _, ok := c.at.Params["environment_name"]; !ok {
		return c.repo.secrets, nil
	}
	e, err := c.environment()
	if err != nil {
		return secrets{}, err
	}
	return e.secrets, nil
}

func (c *call) publicKey() (answer, error) {
	s, err := c.secrets()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: object{
		"key_id": strconv.FormatInt(s.id, 10), "key": base64.StdEncoding.EncodeToString(s.public[:]),
	}}, nil
}

func renderSecret(name string, v *value) object {
	return object{"name": name, "created_at": stamp(v.created), "updated_at": stamp(v.updated)}
}

func (c *call) listSecrets() (answer, error) {
	s, err := c.secrets()
	if err != nil {
		return answer{}, err
	}
	names := slices.Sorted(maps.Keys(s.byName))
	render := func(name string) object { return renderSecret(name, s.byName[name]) }
	return answer{status: http.StatusOK, value: object{"total_count": len(names), "secrets": each(page(c, names), render)}}, nil
}

func (c *call) getSecret() (answer, error) {
	s, err := c.secrets()
	if err != nil {
		return answer{}, err
	}
	name := strings.ToUpper(c.at.Params["secret_name"])
	if s.byName[name] == nil {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK, value: renderSecret(name, s.byName[name])}, nil
}

// putSecret opens what was sealed with the public key: what can not be opened would be a secret that no job can read.
func (c *call) putSecret() (answer, error) {
	s, err := c.secrets()
	if err != nil {
		return answer{}, err
	}
	var in struct {
		Value string `json:"encrypted_value"`
		KeyID string `json:"key_id"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	name := c.at.Params["secret_name"]
	if err := checkName("Secret", name); err != nil {
		return answer{}, err
	}
	if in.KeyID != strconv.FormatInt(s.id, 10) {
		return answer{}, unprocessable("The key_id of the public key is not valid")
	}
	sealed, err := base64.StdEncoding.DecodeString(in.Value)
	if err != nil {
		return answer{}, unprocessable("encrypted_value is not valid Base64")
	}
	plain, ok := box.OpenAnonymous(nil, sealed, s.public, s.private)
	if !ok {
		return answer{}, unprocessable("encrypted_value could not be decrypted with the public key")
	}
	if len(plain) > most {
		return answer{}, unprocessable("Secret values can not be larger than 48 KB")
	}
	if values(s.byName).set(name, string(plain)) {
		return answer{status: http.StatusCreated, value: object{}}, nil
	}
	return answer{status: http.StatusNoContent}, nil
}

func (c *call) deleteSecret() (answer, error) {
	s, err := c.secrets()
	if err != nil {
		return answer{}, err
	}
	name := strings.ToUpper(c.at.Params["secret_name"])
	if s.byName[name] == nil {
		return answer{}, notFound()
	}
	delete(s.byName, name)
	return answer{status: http.StatusNoContent}, nil
}
