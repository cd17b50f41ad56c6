package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	ossignal "os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/content"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/process"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

const (
	lockPatience  = 60 * time.Millisecond // a client may look at the lock for a moment
	stopPatience  = 10 * time.Second      // for requests in flight when the daemon ends
	headerTimeout = 10 * time.Second
	lookForDir    = 2 * time.Second // there is no portable notice of a folder's end
	metaPagePort  = "page_port"
)

// Serve is the daemon: it returns when ctx ends, or when it is told to stop, after its model
// servers have stopped.
func Serve(ctx context.Context, c Config) error {
	dir, err := c.dataDir()
	if err != nil {
		return err
	}
	if err := dir.prepare(); err != nil {
		return err
	}
	failpoint.Hit("lock")
	lock, err := dir.hold(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }() // the end of the process does it too
	out := dir.logFile()
	defer func() { _ = out.Close() }()
	log := slog.New(slog.NewJSONHandler(out, nil))
	slog.SetDefault(log)
	ctx, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	go dir.watch(ctx, lose)
	// A limit on file sizes is an error of the write that meets it, like a full disk: not the end of all
	// endpoints. Listened to and not ignored, for model servers would inherit that.
	beyond := make(chan os.Signal, 1)
	ossignal.Notify(beyond, syscall.SIGXFSZ)
	defer ossignal.Stop(beyond)
	if err := serve(ctx, dir, c.Version, log); err != nil {
		log.Error("the engine ends", "error", err)
		return err
	}
	return nil
}

// hold takes the lock that keeps the data directory to one daemon, for life.
func (d dataDir) hold(ctx context.Context) (*flock.Flock, error) {
	l := flock.New(d.lock())
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	ok, err := l.TryLockContext(ctx, 10*time.Millisecond)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, d.explain(err)
	}
	if ok {
		return l, nil
	}
	who := "another engine"
	if i, err := readInfo(d.info()); err == nil {
		who = fmt.Sprintf("the engine with process id %d (version %s, since %s)", i.PID, i.Version, i.Started.Format(time.DateTime))
	}
	return nil, fmt.Errorf("data directory %s: %s holds it: use that one, or stop it with tidegate engine stop --data-dir %s", d, who, d)
}

// errLost: somebody deleted or moved the data directory of a running daemon.
var errLost = errors.New("the data directory was deleted or moved away while the engine ran")

// watch ends a daemon whose data directory is gone: nobody could reach it, or stop it, any more.
func (d dataDir) watch(ctx context.Context, lose context.CancelCauseFunc) {
	held, err := os.Stat(d.lock())
	for !errors.Is(err, os.ErrNotExist) {
		if pause(ctx, lookForDir) != nil {
			return
		}
		var now os.FileInfo
		now, err = os.Stat(d.lock()) // that it may not be looked at does not mean that it is gone
		if err == nil && held != nil && !os.SameFile(held, now) {
			break
		}
	}
	lose(errLost)
}

func serve(ctx context.Context, dir dataDir, program string, log *slog.Logger) error {
	st, err := openStore(dir.store(), program)
	if err != nil {
		return err
	}
	defer func() { _ = st.close() }() // every write was synced
	failpoint.Hit("reap")
	// What an earlier daemon left must be gone before its bytes or its ports are used again.
	if err := process.Reap(ctx, dir.servers()); err != nil {
		return fmt.Errorf("end the model servers of an earlier engine: %w", err)
	}
	failpoint.Hit("reaped")
	blobs, err := content.Open(dir.content())
	if err != nil {
		return err
	}
	d := newDaemon(dir, log, st, blobs, machine())
	page, err := d.listenPage()
	if err != nil {
		return err
	}
	socket, err := d.listenSocket(program, page.Addr().String())
	if err != nil {
		return err
	}
	return d.live(ctx, socket, page)
}

// listenPage opens the page's port, chosen once and kept. Unlike an endpoint's, another one
// takes its place when it is taken: nobody's users have it.
func (d *daemon) listenPage() (net.Listener, error) {
	var port string
	if err := d.store.view(func(t *tx) error { port = t.meta(metaPagePort); return nil }); err != nil {
		return nil, err
	}
	if port != "" {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			return l, nil
		}
		d.log.Warn("the page gets another address", "port", port, "error", err)
	}
	n, err := choosePort(nil)
	if err != nil {
		return nil, err
	}
	port = strconv.Itoa(n)
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, fmt.Errorf("open the engine's page: %w", err)
	}
	return l, d.store.update(func(t *tx) error { return t.setMeta(metaPagePort, port) })
}

// listenSocket opens the socket and says in engine.json who answers there.
func (d *daemon) listenSocket(program, page string) (net.Listener, error) {
	failpoint.Hit("socket")
	defer failpoint.Hit("socket.open")
	path, err := d.dir.socket(os.Getenv("XDG_RUNTIME_DIR"))
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of a daemon that was killed: the lock is ours
		return nil, fmt.Errorf("socket %s: %w", path, cause(err))
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("open the engine's socket: %w", err)
	}
	l.SetUnlinkOnClose(false) // live does, if the path is still this daemon's
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, cause(err))
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	d.self = info{PID: os.Getpid(), Version: program, Build: buildOf(exe), API: apiVersion, Socket: path,
		Page: "http://" + page, Started: d.started}
	failpoint.Hit("info")
	if err := writeInfo(disk.OS, d.dir.info(), d.self); err != nil {
		return nil, d.dir.explain(err)
	}
	return l, nil
}

// live brings the endpoints back, answers until the daemon is told to end, and ends in order:
// no new request to the engine, then the endpoints' requests, then their servers.
func (d *daemon) live(ctx context.Context, socket, page net.Listener) error {
	if err := d.restore(); err != nil {
		return err
	}
	d.log.Info("the engine runs", "pid", d.self.PID, "version", d.self.Version, "page", d.self.Page, "socket", d.self.Socket)
	errs := slog.NewLogLogger(d.log.Handler(), slog.LevelWarn)
	api := &http.Server{Handler: d.handler(), ReadHeaderTimeout: headerTimeout, ErrorLog: errs}
	web := &http.Server{Handler: d.page(), ReadHeaderTimeout: headerTimeout, ErrorLog: errs}
	failed := make(chan error, 2)
	go func() { failed <- api.Serve(socket) }()
	go func() { failed <- web.Serve(page) }()
	var err error
	select {
	case <-ctx.Done():
	case <-d.stopping:
	case err = <-failed:
		err = fmt.Errorf("the engine stopped answering: %w", err)
	}
	failpoint.Hit("stop")
	d.log.Info("the engine stops", "asked", err == nil)
	d.stop()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if err := api.Shutdown(limit); err != nil {
		_ = api.Close()
	}
	_ = web.Close()  // its streams never end by themselves
	d.working.Wait() // creations, which leave what they have to the next engine
	d.closeUnits(limit)
	failpoint.Hit("units.closed")
	if lost := context.Cause(ctx); errors.Is(lost, errLost) {
		return lost // another engine may be at these paths now
	}
	for _, path := range []string{d.self.Socket, d.dir.info()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			d.log.Warn("cannot remove a file of the engine", "path", path, "error", err)
		}
	}
	failpoint.Hit("stopped")
	d.log.Info("the engine has stopped")
	return err
}

// restore starts all endpoints that users have. Those that were never finished wait for the
// create that goes on with them.
func (d *daemon) restore() error {
	var docs []*document
	err := d.store.view(func(t *tx) (err error) {
		docs, err = t.endpoints()
		return err
	})
	if err != nil {
		return err
	}
	for _, doc := range docs {
		if doc.Finished {
			u := d.addUnit(doc.id())
			u.finished.Store(true)
			u.wake()
		}
	}
	d.collect()
	return nil
}

// stop makes the daemon end; it returns at once.
func (d *daemon) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return
	}
	d.stopped = true
	close(d.stopping)
	for _, m := range d.makings {
		m.cancel(errStopping)
	}
}

func (d *daemon) closeUnits(ctx context.Context) {
	d.mu.Lock()
	units := d.units
	d.units = map[string]*unit{}
	d.mu.Unlock()
	done := make(chan struct{})
	for _, u := range units {
		go func() { u.close(ctx); done <- struct{}{} }()
	}
	for range units {
		<-done
	}
}
