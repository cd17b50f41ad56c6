package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

var (
	// errNotRunning: no daemon answers for the data directory.
	errNotRunning = errors.New("the engine is not running")
	// errCutOff: the daemon ended before it answered.
	errCutOff = errors.New("the engine ended before it answered")
	// errSilent: the daemon took the request, lives, and does not answer.
	errSilent = errors.New("the engine does not answer")
)

const (
	// answerLimit is for answers that wait for nothing but the disk.
	answerLimit = 5 * time.Second
	// silencesAllowed in a row, of a daemon that is asked for its version; the next one hangs.
	silencesAllowed = 1
	// answerMost bounds an answer: a thousand endpoints in mid-rollout are some 40 MB.
	answerMost = 256 << 20
)

// attempts of a request whose daemon ended meanwhile: each starts the next daemon.
const attempts = 4

// write sends what needs a daemon, which is started if there is none. Requests can be sent
// again: they say what is to be, or hold the version that they expect.
func (e *Engine) write(ctx context.Context, method, path string, in, out any) error {
	for i := 1; ; i++ {
		if err := e.ensure(ctx); err != nil {
			return err
		}
		err := e.send(ctx, method, path, in, out)
		if !gone(err) || ctx.Err() != nil {
			return err
		}
		e.distrust()
		if i == attempts {
			return fmt.Errorf("data directory %s: %w; its daemon.log says more", e.config.DataDir, err)
		}
	}
}

// gone reports whether another try may find a daemon that answers.
func gone(err error) bool {
	for _, e := range []error{errNotRunning, errCutOff, errStopping, errSilent} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// read asks a daemon that runs, and else the store: no plan starts anything.
func (e *Engine) read(ctx context.Context, path string, out any, offline func(*tx) error) error {
	dir, err := e.config.dataDir()
	if err != nil {
		return err
	}
	for began := time.Now(); ; {
		err := e.send(ctx, http.MethodGet, path, nil, out)
		if !gone(err) {
			return err
		}
		err = dir.look(offline)
		if !errors.Is(err, errLocked) {
			return err
		}
		if time.Since(began) > startPatience { // it starts or stops, for far too long
			return dir.hung()
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// look reads the store of a daemon that does not run. fs.ErrNotExist: there is none yet.
func (d dataDir) look(fn func(*tx) error) error {
	ours, err := d.exists()
	if err != nil {
		return err
	}
	if !ours {
		return fs.ErrNotExist
	}
	s, err := readStore(d.store())
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }() // it was only read
	return s.view(fn)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A line is the connections to one daemon, kept between requests.
type line struct {
	to        info
	transport *http.Transport
}

// transport reaches the daemon that i tells of. Connections to another one, which was replaced, are given up.
func (e *Engine) transport(i info) http.RoundTripper {
	e.lineLock.Lock()
	defer e.lineLock.Unlock()
	if e.line != nil && e.line.to.PID == i.PID && e.line.to.Socket == i.Socket && e.line.to.Started.Equal(i.Started) {
		return e.line.transport
	}
	if e.line != nil {
		e.line.transport.CloseIdleConnections()
	}
	var dialer net.Dialer
	e.line = &line{to: i, transport: &http.Transport{
		MaxIdleConnsPerHost: 16, // Terraform asks about ten resources at a time
		IdleConnTimeout:     30 * time.Second,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", i.Socket)
		},
	}}
	return e.line.transport
}

// send makes one request of the daemon that runs.
func (e *Engine) send(ctx context.Context, method, path string, in, out any) error {
	dir, err := e.config.dataDir()
	if err != nil {
		return err
	}
	i, err := readInfo(dir.info())
	if err != nil { // none, not readable, or damaged: whether there is a daemon, the lock tells
		return errNotRunning
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	answer, cancel := e.patiently(ctx, method, path)
	defer cancel()
	req, err := http.NewRequestWithContext(answer, method, "http://engine"+path, body)
	if err != nil {
		return err
	}
	failpoint.Hit("request")
	defer failpoint.Hit("request.answered")
	resp, err := e.reach.transport(i).RoundTrip(req)
	if err != nil {
		return failure(ctx, answer, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, answerMost+1))
	if err != nil {
		return failure(ctx, answer, err)
	}
	if len(b) > answerMost {
		return fmt.Errorf("the engine's answer to %s %s is longer than %d MiB", method, path, answerMost>>20)
	}
	return decode(resp, b, out)
}

// patiently bounds a request. Creates, updates and deletes wait for model servers and copy models, for as
// long as ctx says and the daemon is there: it is asked for its version meanwhile.
func (e *Engine) patiently(ctx context.Context, method, path string) (context.Context, context.CancelFunc) {
	if limit := limitOf(method, path); limit > 0 {
		return context.WithTimeout(ctx, limit)
	}
	ctx, lose := context.WithCancelCause(ctx)
	go func() {
		for silent := 0; silent <= silencesAllowed; silent++ {
			if pause(ctx, answerLimit) != nil {
				return
			}
			if err := e.send(ctx, http.MethodGet, versionPath, nil, nil); !errors.Is(err, errSilent) {
				silent = -1
			}
		}
		lose(errSilent)
	}()
	return ctx, func() { lose(nil) }
}

// limitOf is how long an answer may take; 0 for those that wait for more than the disk.
func limitOf(method, path string) time.Duration {
	path, _, _ = strings.Cut(path, "?")
	last := path[strings.LastIndex(path, "/")+1:]
	switch {
	case last == "changes":
		return pollLimit + answerLimit
	case method == http.MethodGet, last == "record", last == "count", last == "stop", strings.HasPrefix(path, "/v1/clusters/"):
		return answerLimit
	}
	return 0
}

// failure tells a daemon that is not there from one that went away, and one that hangs.
func failure(ctx, answer context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if answer.Err() != nil {
		return errSilent
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return errNotRunning
	}
	return fmt.Errorf("%w: %w", errCutOff, err)
}

func decode(resp *http.Response, b []byte, out any) error {
	if resp.StatusCode >= 400 {
		var a errorAnswer
		if err := json.Unmarshal(b, &a); err != nil {
			return fmt.Errorf("the engine answered %s without an explanation", resp.Status)
		}
		return a.err(out)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("the engine's answer cannot be read: %w", err)
	}
	return nil
}

// escape makes a name a part of a path.
func escape(s string) string { return url.PathEscape(s) }
