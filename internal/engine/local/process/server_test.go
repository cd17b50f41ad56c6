package process

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The test binary is also the model server: with TEST_SERVER set it behaves as that says.
func TestMain(m *testing.M) {
	if mode := os.Getenv("TEST_SERVER"); mode != "" {
		serve(mode)
		return
	}
	if dir := os.Getenv("TEST_DAEMON"); dir != "" {
		daemon(dir)
		return
	}
	os.Exit(m.Run())
}

// serve is a model server; the modes are its faults.
func serve(mode string) {
	time.AfterFunc(5*time.Minute, func() { os.Exit(8) }) // should the test be killed
	mode, arg, _ := strings.Cut(mode, ":")
	var hang atomic.Bool
	addr := "127.0.0.1:" + os.Getenv("PORT")
	switch mode {
	case "ok":
	case "exits":
		fmt.Println("cannot read the weights")
		os.Exit(3)
	case "silent": // runs, and never listens
		time.Sleep(time.Hour)
	case "unready":
		hang.Store(true)
	case "elsewhere":
		addr = "127.0.0.1:0"
	case "robbed": // finds its port taken, the first two times
		n, _ := os.ReadFile(arg)
		if len(n) < 2 {
			if _, err := net.Listen("tcp", addr); err != nil {
				panic(err)
			}
			_ = os.WriteFile(arg, append(n, 'x'), 0o600)
		}
	case "once": // never comes up again
		if _, err := os.Stat(arg); err == nil {
			os.Exit(1)
		}
		_ = os.WriteFile(arg, nil, 0o600)
	case "loud":
		line := strings.Repeat("x", 1000) + "\n"
		for range 15_000 {
			fmt.Print(line)
		}
		fmt.Println("the last line")
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "mother": // leaves a child behind that holds the pipe and ignores SIGTERM
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "TEST_SERVER=orphan")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			panic(err)
		}
		if err := os.WriteFile(arg, fmt.Append(nil, child.Process.Pid), 0o600); err != nil {
			panic(err)
		}
	case "orphan":
		signal.Ignore(syscall.SIGTERM)
		time.Sleep(time.Hour)
	case "shell": // as "mother" does, but the child is a server that ends well on SIGTERM
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "TEST_SERVER=graceful:"+arg)
		if err := child.Run(); err != nil {
			panic(err)
		}
	case "graceful":
		term := make(chan os.Signal, 1)
		signal.Notify(term, syscall.SIGTERM)
		go func() {
			<-term
			time.Sleep(200 * time.Millisecond)
			_ = os.WriteFile(arg, []byte("ended well"), 0o600)
			os.Exit(0)
		}()
	case "hangs": // once it was told to
		http.HandleFunc("/hang", func(http.ResponseWriter, *http.Request) { hang.Store(true) })
	case "leaks":
		fmt.Println("key is " + os.Getenv("API_KEY") + " \x1b[31mred\x1b[0m \x00bell\a")
		os.Exit(1)
	default:
		panic("no such mode: " + mode)
	}
	ready := func(w http.ResponseWriter, _ *http.Request) {
		if hang.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	http.HandleFunc("/v2/health/ready", ready)
	http.HandleFunc("/v2/models/penguins/ready", ready)
	http.HandleFunc("/healthz", ready)
	http.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(9) })
	http.HandleFunc("/about", func(w http.ResponseWriter, _ *http.Request) {
		dir, _ := os.Getwd()
		_ = json.NewEncoder(w).Encode(about{Pid: os.Getpid(), Args: os.Args, Env: os.Environ(), Dir: dir, Files: openFiles()})
	})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		panic(err)
	}
	panic(http.Serve(l, nil))
}

type about struct {
	Pid   int
	Args  []string
	Env   []string
	Dir   string
	Files []string
}

// openFiles returns what is open, but for what Go itself opens.
func openFiles() []string {
	var open []string
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, l := range links {
		to, err := os.Readlink(l)
		if err == nil && strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "/dev/") && !strings.HasPrefix(to, "/sys/") && to != "/proc/self/fd" {
			open = append(open, to)
		}
	}
	return open
}

// daemon runs a group until it is killed.
func daemon(dir string) {
	c := Config{
		Name: "penguins", Revision: "sha256:r", Dir: dir, Model: dir + "/model", Command: []string{os.Args[0]},
		Env: []string{"TEST_SERVER=" + os.Getenv("TEST_MODE")}, Protocol: "v2", StartTimeout: time.Minute, State: dir,
	}
	var g *Group
	made := make(chan struct{})
	g = Start(c, 2, func() {
		<-made
		if s := g.State(); len(s.Addrs) == 2 {
			fmt.Println(strings.Join(s.Addrs, " "))
		}
	})
	close(made)
	_, _ = io.Copy(io.Discard, os.Stdin)
	time.Sleep(time.Hour)
}
