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
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

var (
	// errNotRunning: no daemon answers for the data directory.
	errNotRunning = errors.New("the engine is not running")
	// errCutOff: the daemon ended before it answered.
	errCutOff = errors.New("the engine ended before it answered")
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
		gone := errors.Is(err, errNotRunning) || errors.Is(err, errCutOff) || errors.Is(err, errStopping)
		if !gone || ctx.Err() != nil {
			return err
		}
		e.distrust()
		if i == attempts {
			return fmt.Errorf("data directory %s: %w; its daemon.log says more", e.config.DataDir, err)
		}
	}
}

// read asks a daemon that runs, and else the store: no plan starts anything.
func (e *Engine) read(ctx context.Context, path string, out any, offline func(*tx) error) error {
	dir, err := e.config.dataDir()
	if err != nil {
		return err
	}
	for began := time.Now(); ; {
		err := e.send(ctx, http.MethodGet, path, nil, out)
		if !errors.Is(err, errNotRunning) && !errors.Is(err, errCutOff) && !errors.Is(err, errStopping) {
			return err
		}
		err = dir.look(offline)
		if !errors.Is(err, errLocked) {
			return err
		}
		if time.Since(began) > startPatience { // it starts or stops, for far too long
			return fmt.Errorf("data directory %s: an engine holds it and does not answer: see its daemon.log", dir)
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
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errNoInfo) {
		return errNotRunning
	}
	if err != nil {
		return err
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, body)
	if err != nil {
		return err
	}
	failpoint.Hit("request")
	defer failpoint.Hit("request.answered")
	resp, err := e.reach.transport(i).RoundTrip(req)
	if err != nil {
		return failure(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return failure(ctx, err)
	}
	return decode(resp, b, out)
}

// failure tells a daemon that is not there from one that went away.
func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
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
