package local

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

// What grows with time has a bound: it is here, or beside what grows. Model servers' logs are
// process's, histories are rollout's.
const (
	logMegabytes = 10 // of daemon.log
	logsKept     = 3  // before it

	startLogBytes = 256 << 10 // of start.log, and of the one before it

	abortsKept = 10 * time.Minute // far longer than a client asks again
	abortsMost = 1000             // a flood of them is nonsense
)

// logFile is daemon.log, which begins anew when it is large.
func (d dataDir) logFile() *lumberjack.Logger {
	return &lumberjack.Logger{Filename: d.log(), MaxSize: logMegabytes, MaxBackups: logsKept}
}

// trimStartLog puts a large start.log aside, in the place of the last one that was. A daemon that
// still runs goes on with the one that it has.
func (d dataDir) trimStartLog() error {
	st, err := os.Stat(d.startLog())
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.Size() < startLogBytes {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Rename(d.startLog(), d.startLog()+".1")
}

// aborts are calls of creates that were taken back, for as long as such a create may still come.
type aborts struct{ at map[string]time.Time }

func (a *aborts) add(call string, now time.Time) {
	if a.at == nil {
		a.at = map[string]time.Time{}
	}
	oldest := call
	for c, at := range a.at {
		if now.Sub(at) > abortsKept {
			delete(a.at, c)
		} else if oldest == call || at.Before(a.at[oldest]) {
			oldest = c
		}
	}
	if len(a.at) >= abortsMost {
		delete(a.at, oldest)
	}
	a.at[call] = now
}

func (a *aborts) has(call string) bool {
	_, ok := a.at[call]
	return ok
}
