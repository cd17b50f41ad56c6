package process

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestReplicasGetTheirPortModelAndNothingUndeclared(t *testing.T) {
	t.Setenv("UNDECLARED", "x")
	t.Setenv("LANG", "C")
	c := config(t, "ok")
	c.Command = append(c.Command, "--port={port}", "{model}", "{name}", `{"json": {}}`, "${port}")
	c.Env = append(c.Env, "HOME=/declared", "PORT=1", "MINE=a=b")
	tr := run(t, c, 2)
	s := tr.until("ready", ready(2))
	for _, addr := range s.Addrs {
		a := get(t, addr, "/about")
		port := addr[strings.LastIndex(addr, ":")+1:]
		if want := []string{"--port=" + port, c.Model, "penguins", `{"json": {}}`, "${port}"}; !slices.Equal(a.Args[1:], want) {
			t.Errorf("arguments %q, want %q", a.Args[1:], want)
		}
		want := []string{
			"HOME=/declared", "LANG=C", "MINE=a=b", "MODEL_PATH=" + c.Model, "PATH=" + os.Getenv("PATH"), "PORT=" + port,
			"TEST_SERVER=ok", "TIDEGATE_ENDPOINT=penguins", "TIDEGATE_REVISION=sha256:r",
		}
		if got := slices.Sorted(slices.Values(a.Env)); !slices.Equal(got, want) {
			t.Errorf("environment %q, want %q", got, want)
		}
		if len(a.Files) != 0 || a.Dir != c.Dir {
			t.Errorf("inherited files %v, working folder %s", a.Files, a.Dir)
		}
	}
	if s.Addrs[0] == s.Addrs[1] || s.Restarts != 0 || s.Failed {
		t.Errorf("state %+v", s)
	}
}

func TestAReplicaThatDiesIsStartedAgain(t *testing.T) {
	t.Parallel()
	tr := run(t, config(t, "ok"), 1)
	first := tr.until("ready", ready(1))
	for i := range 4 { // more often than a first start may fail
		get(t, tr.until("ready", ready(1)).Addrs[0], "/exit")
		s := tr.until("down", func(s State) bool { return s.Restarts > i })
		if s.Failed {
			t.Fatalf("failed after it was ready: %+v", s)
		}
	}
	if again := tr.until("ready again", ready(1)); again.Restarts != 4 || again.Addrs[0] == first.Addrs[0] {
		t.Errorf("state %+v, at first %+v", again, first)
	}
}

func TestAGroupThatWasReadyOnceNeverFails(t *testing.T) {
	t.Parallel()
	tr := run(t, config(t, "once:"+filepath.Join(t.TempDir(), "ran")), 1)
	get(t, tr.until("ready", ready(1)).Addrs[0], "/exit")
	if s := tr.until("restarted", func(s State) bool { return s.Restarts > deathsToFail+1 }); s.Failed {
		t.Errorf("state %+v", s)
	}
}

func TestTheReasonOfADeathIsKept(t *testing.T) {
	t.Parallel()
	tr := runAt(t, leisurely(), config(t, "ok"), 1)
	get(t, tr.until("ready", ready(1)).Addrs[0], "/exit")
	s := tr.until("down", func(s State) bool { return len(s.Addrs) == 0 && strings.Contains(s.Problem, "exited") })
	wantWords(t, s.Problem, "0 of 1 replicas are ready: replica 1 exited with status 9", "started again after")
	tr.until("ready again", ready(1))
}

func TestAServerThatExitsAtOnceFails(t *testing.T) {
	t.Parallel()
	s := run(t, config(t, "exits"), 1).until("failed", failed)
	wantWords(t, s.Problem, "replica 1 exited with status 3", "cannot read the weights")
	if s.Restarts < 2 {
		t.Errorf("%d restarts, want three deaths", s.Restarts)
	}
}

func TestATakenPortIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	tr := runAt(t, leisurely(), config(t, "robbed:"+filepath.Join(t.TempDir(), "times")), 1)
	tr.until("told", func(s State) bool { return strings.Contains(s.Problem, "address already in use") })
	if s := tr.until("ready", ready(1)); s.Restarts != 2 || s.Failed {
		t.Errorf("state %+v", s)
	}
}

func TestAMissingCommandFailsAtOnce(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"no-such-program", "./no-such-program", "/no/such/program"} {
		c := config(t, "ok")
		c.Command[0] = name
		s := run(t, c, 1).until("failed", failed)
		wantWords(t, s.Problem, "cannot be started", name[strings.LastIndex(name, "/")+1:])
	}
	c := config(t, "ok")
	c.Command[0] = filepath.Join(c.Dir, "data")
	if err := os.WriteFile(c.Command[0], nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantWords(t, run(t, c, 1).until("failed", failed).Problem, "permission denied")
}

func TestAServerThatIsNeverReadyFailsAndIsToldWhy(t *testing.T) {
	t.Parallel()
	for mode, says := range map[string][]string{
		"silent":    {"did not listen on 127.0.0.1:", "PORT and {port}", "elsewhere?"},
		"unready":   {"/v2/health/ready was answered with 503 Service Unavailable"},
		"elsewhere": {"did not listen on 127.0.0.1:", "but on port", "have it read PORT"},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := config(t, mode)
			c.StartTimeout = 700 * time.Millisecond
			tr := run(t, c, 1)
			tr.until("failed", failedWith(append(says, "was not ready within 700ms")...))
			tr.until("tried again", func(s State) bool { return s.Restarts > 0 })
		})
	}
}

func TestReadinessByPathTakesAny2xx(t *testing.T) {
	t.Parallel()
	c := config(t, "ok")
	c.Protocol, c.ReadyPath = "http", "/healthz"
	run(t, c, 1).until("ready", ready(1))
	c = config(t, "ok")
	c.Protocol, c.ReadyPath, c.StartTimeout = "http", "/nothing", 300*time.Millisecond
	run(t, c, 1).until("failed", failedWith("/nothing was answered with 404"))
}

func TestAServerThatHangsIsReplaced(t *testing.T) {
	t.Parallel()
	tr := run(t, config(t, "hangs"), 1)
	addr := tr.until("ready", ready(1)).Addrs[0]
	pid := get(t, addr, "/about").Pid
	get(t, addr, "/hang")
	s := tr.until("restarted", func(s State) bool { return s.Restarts == 1 && len(s.Addrs) == 1 })
	if s.Addrs[0] == addr || s.Failed {
		t.Errorf("state %+v", s)
	}
	gone(t, pid)
}

func TestALoudServerNeitherBlocksNorFillsTheDisk(t *testing.T) {
	t.Parallel()
	c := config(t, "loud")
	tr := run(t, c, 1)
	tr.until("ready", ready(1))
	tr.Stop(0)
	logs, err := filepath.Glob(filepath.Join(c.State, "replica-1*.log"))
	if err != nil || len(logs) != 2 {
		t.Errorf("logs %v, %v: want 15 MB in two files", logs, err)
	}
	for _, l := range logs {
		if info, err := os.Stat(l); err != nil || info.Size() > logSize<<20 || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", l, info, err)
		}
	}
}

func TestChangedIsNeverConcurrentAndDelaysNobody(t *testing.T) {
	t.Parallel()
	var running, calls atomic.Int32
	let := make(chan struct{})
	g := start(config(t, "exits"), 3, func() {
		if running.Add(1) != 1 {
			t.Error("changed runs twice at once")
		}
		calls.Add(1)
		<-let
		running.Add(-1)
	}, hasty)
	deadline := time.Now().Add(20 * time.Second)
	for g.State().Restarts < 6 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond) // nothing reports while changed hangs
	}
	if s := g.State(); s.Restarts < 6 || calls.Load() != 1 {
		t.Errorf("%d calls, state %+v", calls.Load(), s)
	}
	close(let)
	g.Stop(0)
}

func TestProblemsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	c := config(t, "leaks")
	c.Env = append(c.Env, "API_KEY=hunter2")
	c.Secrets = []string{"hunter2"}
	s := run(t, c, 1).until("failed", failed)
	if wantWords(t, s.Problem, "| key is (secret) red bell"); strings.Contains(s.Problem, "hunter2") {
		t.Errorf("%q holds the secret", s.Problem)
	}
}
