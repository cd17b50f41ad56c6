package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/process"
)

// A Checkup is what runs in a data directory, and what is wrong there.
type Checkup struct {
	DataDir string    `json:"data_dir"`
	Exists  bool      `json:"exists"`  // an engine has been here
	Program string    `json:"program"` // version of the one that looks
	Engine  *Daemon   `json:"engine"`  // null while none runs
	Disk    Disk      `json:"disk"`
	Servers []Server  `json:"servers"` // model servers whose processes are there
	Found   []Finding `json:"found"`   // in the order in which to look at them
}

// A Daemon is an engine that answers.
type Daemon struct {
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	API     int       `json:"api"`
	Socket  string    `json:"socket"`
	Page    string    `json:"page"`
	Since   time.Time `json:"since"`
}

// A Disk is the file system that the data directory is on, in bytes.
type Disk struct {
	Free  uint64 `json:"free"` // for this user
	Total uint64 `json:"total"`
}

// A Server is one process of a model server.
type Server struct {
	Endpoint string    `json:"endpoint"`       // id
	Role     string    `json:"role,omitempty"` // of its revision; "" where nobody wants that any more
	Revision string    `json:"revision"`
	PID      int       `json:"pid"`
	Port     int       `json:"port"`
	Since    time.Time `json:"since"`
}

// A Finding is something wrong, or something that waits for a person.
type Finding struct {
	About string `json:"about"` // "engine", "store", "disk", "folder", "clock", or an endpoint's id
	What  string `json:"what"`  // a sentence; it may have further lines, a program's last words
	Do    string `json:"do"`    // one line, with the command
}

// askLimit bounds one question to the daemon: one that hangs is something to find.
const askLimit = 5 * time.Second

// An examination collects what is found.
type examination struct {
	*Checkup

	engine *Engine
	dir    dataDir
	now    time.Time
}

// found notes something; do is one line.
func (x *examination) found(about, do, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if strings.Contains(what, "\n") {
		what = strings.TrimSuffix(what, ".") // a program's last words end as they do
	}
	x.Found = append(x.Found, Finding{About: about, What: what, Do: do})
}

// cmd is a command line for this data directory.
func (x *examination) cmd(args string) string {
	return fmt.Sprintf("tidegate engine %s --data-dir %s", args, x.dir)
}

// Examine looks at everything and changes nothing: it starts no engine, and writes no file. The error
// says that it could not look.
func (e *Engine) Examine(ctx context.Context) (Checkup, error) {
	dir, err := e.config.dataDir()
	if err != nil {
		return Checkup{}, err
	}
	x := &examination{engine: e, dir: dir, now: time.Now(), Checkup: &Checkup{
		DataDir: string(dir), Program: e.config.Version, Servers: []Server{}, Found: []Finding{}}}
	usable, err := x.folder()
	if err != nil || !usable {
		return *x.Checkup, err
	}
	x.Exists = true
	x.disk()
	st, known := x.state(ctx)
	if err := ctx.Err(); err != nil {
		return *x.Checkup, err
	}
	if err := x.processes(st, known); err != nil {
		return *x.Checkup, err
	}
	for _, ep := range st.Endpoints {
		x.endpoint(ep)
	}
	return *x.Checkup, nil
}

// state is what the daemon says, or else the store; false where nobody can say.
func (x *examination) state(ctx context.Context) (Status, bool) {
	st, running := x.daemon(ctx)
	if running {
		return st, true
	}
	if x.Engine != nil {
		return st, false
	}
	st = Status{}
	err := x.dir.look(func(t *tx) error {
		if err := t.newer(); err != nil {
			x.found("store", "use the version of Tidegate that wrote it, or newer", "%s.", err)
		}
		return st.read(t, x.dir)
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return st, true // nothing was ever made
	case errors.Is(err, errLocked):
		return st, false // the daemon's part says who holds it
	case errors.Is(err, fs.ErrPermission):
		x.found("store", "look as the user who runs the engine", "The store cannot be read: %s.", err)
		return st, false
	case err != nil:
		x.found("store", x.cmd("stop")+", then put a copy of store.db back, or move the data directory away and apply again", "%s.", err)
		return st, false
	}
	if n := len(st.Endpoints); n > 0 && !x.held() {
		x.found("engine", x.cmd("run")+", or apply", "No engine runs, and %s not served.%s", are(n, "endpoint"), x.dir.lastError())
	}
	return st, true
}

func are(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}

// daemon asks the one that runs.
func (x *examination) daemon(ctx context.Context) (st Status, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	var self info
	err := x.engine.send(ctx, http.MethodGet, "/v1/version", nil, &self)
	if err == nil {
		x.Engine = &Daemon{PID: self.PID, Version: self.Version, API: self.API, Socket: self.Socket, Page: self.Page, Since: self.Started}
		x.versions(self)
		if err = x.engine.send(ctx, http.MethodGet, "/v1/status", nil, &st); err == nil {
			return st, true
		}
		if answer := (*remoteError)(nil); errors.As(err, &answer) {
			x.found("engine", x.cmd("logs"), "The engine answers, but cannot say how its endpoints are: %s.", err)
			return st, false
		}
	}
	left, noFile := readInfo(x.dir.info())
	switch held := x.held(); {
	case held && noFile != nil:
		x.found("engine", "look again in a minute; if it is so then, end the process that holds "+x.dir.lock(), "An engine holds the data directory and does not say who it is: it starts, or it ends.")
	case held:
		x.found("engine", fmt.Sprintf("%s; if it is so in a minute: kill -9 %d, then apply", x.cmd("logs"), left.PID),
			"The engine with process id %d holds the data directory and does not answer: %s.", left.PID, err)
	case noFile == nil:
		x.found("engine", x.cmd("run")+", or apply: both clear it away", "engine.json is of an engine that runs no more (process %d, version %s, since %s): it was killed, or the machine went down.",
			left.PID, left.Version, left.Started.Local().Format(time.DateTime))
	case !errors.Is(noFile, fs.ErrNotExist):
		x.found("engine", fmt.Sprintf("rm %s, then %s", x.dir.info(), x.cmd("run")), "engine.json cannot be read: %s.", noFile)
	}
	return st, false
}

// processes lists the model servers that are there.
func (x *examination) processes(st Status, known bool) error {
	roles := map[string]string{}
	for _, ep := range st.Endpoints {
		roles[ep.ID+ep.Status.Stable.Digest] = roleStable
		if c := ep.Status.Candidate; c != nil {
			roles[ep.ID+c.Revision.Digest] = roleCandidate
		}
		if p := ep.Status.Previous; p != nil {
			roles[ep.ID+p.Revision.Digest] = rolePrevious
		}
	}
	all, err := process.Servers(x.dir.servers())
	if err != nil {
		return fmt.Errorf("look for model servers: %w", err)
	}
	left := ""
	for _, p := range all {
		if !p.Alive {
			continue
		}
		id, err := filepath.Rel(x.dir.servers(), filepath.Dir(p.Folder))
		if err != nil {
			return err
		}
		s := Server{Endpoint: filepath.ToSlash(id), Revision: p.Revision, PID: p.PID, Port: p.Port, Since: p.Since}
		s.Role = roles[s.Endpoint+s.Revision]
		x.Servers = append(x.Servers, s)
		left += fmt.Sprintf(" %d", p.PID)
	}
	if left != "" && x.Engine == nil && known && !x.held() {
		x.found("engine", x.cmd("run")+", or apply: both end them first; or: kill"+left, "Model servers of an engine that was killed still run: process%s.", left)
	}
	return nil
}
