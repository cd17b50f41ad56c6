package github

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// A tokenCredential is a token that was given; "" is nobody.
type tokenCredential string

func (t tokenCredential) header(context.Context) (string, error) {
	if t == "" {
		return "", nil
	}
	return "Bearer " + string(t), nil
}

// An appCredential signs who an App is. That is good for asking for an installation's token, and not for more.
type appCredential struct {
	id  string
	key *rsa.PrivateKey
}

// header is a token of its own for each request: GitHub wants them short-lived. A minute back, since clocks differ.
func (a appCredential) header(context.Context) (string, error) {
	now := time.Now()
	claims, err := json.Marshal(map[string]any{"iss": a.id, "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(8 * time.Minute).Unix()})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign as App %s: %w", a.id, err)
	}
	return "Bearer " + signed + "." + encode(signature), nil
}

// parseKey reads an App's private key. The key is in none of the errors.
func parseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("it is not PEM: want the file that GitHub gave, with its line breaks, from -----BEGIN to -----END")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it is no RSA key in PKCS #1 or PKCS #8, or it is cut off")
	}
	key, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is no RSA key; GitHub's Apps have such")
	}
	return key, nil
}

// renewBefore is how long an installation's token must still be good for: GitHub gives it for an hour.
const renewBefore = 5 * time.Minute

// An installationCredential is the token of an App's installation, asked for when it is needed and again before it ends.
type installationCredential struct {
	app          *gh.Client // speaks as the App
	id           string
	installation int64

	mu      sync.Mutex
	token   string
	expires time.Time
}

// newInstallation checks an App's settings.
func newInstallation(a App, speak func(credential) *gh.Client) (*installationCredential, error) {
	if a.ID == "" || a.Installation <= 0 {
		return nil, fmt.Errorf("open GitHub: App %q, installation %d: want the App's id and the number of its installation, which is the last part of the installation's page", a.ID, a.Installation)
	}
	key, err := parseKey(a.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("open GitHub: the private key of App %s: %w", a.ID, err)
	}
	return &installationCredential{app: speak(appCredential{id: a.ID, key: key}), id: a.ID, installation: a.Installation}, nil
}

func (i *installationCredential) redact(text string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return withhold(text, i.token)
}

func (i *installationCredential) header(ctx context.Context) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if time.Until(i.expires) > renewBefore {
		return "Bearer " + i.token, nil
	}
	t := task{doing: fmt.Sprintf("get a token of installation %d of App %s", i.installation, i.id)}
	// A second token does no harm.
	got, _, err := i.app.Apps.CreateInstallationToken(mayRepeat(ctx), i.installation, &gh.InstallationTokenOptions{})
	if err != nil {
		e := explain(t, err)
		if errors.Is(e.Kind, ErrToken) {
			e.Next = "Compare the App's id and its private key with the App's settings on GitHub, and this machine's clock."
		}
		if errors.Is(e.Kind, ErrNotFound) {
			e.Next = "The installation's number is the last part of its page's address, under Settings, Applications, Configure."
		}
		return "", e
	}
	i.token, i.expires = got.GetToken(), got.GetExpiresAt().Time
	return "Bearer " + i.token, nil
}
