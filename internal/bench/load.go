package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A loaded is what a round of load found.
type loaded struct {
	perSecond float64
	p50, p99  time.Duration
}

// load sends requests over so many connections for one round, each after the last one's answer. It writes and reads
// bytes itself: net/http's client would cost more than what is measured.
func load(addr string, connections int) (loaded, error) {
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var wg sync.WaitGroup
	began := time.Now()
	for range connections {
		wg.Go(func() {
			took, err := user(addr, began.Add(round))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			if err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	spent := time.Since(began)
	if failed != nil {
		return loaded{}, fmt.Errorf("load %s: %w", addr, failed)
	}
	slices.Sort(all)
	return loaded{float64(len(all)) / spent.Seconds(), all[len(all)/2], all[len(all)*99/100]}, nil
}

// user sends one request after the other over one connection, and returns how long each took.
func user(addr string, until time.Time) (took []time.Duration, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // all was read
	const body = `{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP64","data":[1,2,3,4]}]}`
	request := []byte("POST /v2/models/bench/infer HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	in := bufio.NewReader(conn)
	for now := time.Now(); now.Before(until); {
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if err := readAnswer(in); err != nil {
			return nil, err
		}
		done := time.Now()
		took, now = append(took, done.Sub(now)), done
	}
	return took, nil
}

// readAnswer reads an answer of known length, and wants it to be good.
func readAnswer(in *bufio.Reader) error {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ":")
		switch {
		case first && !strings.HasPrefix(name, "HTTP/1.1 200"):
			return fmt.Errorf("the answer is %q", name)
		case strings.EqualFold(name, "Content-Length"):
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		case name == "" && length < 0:
			return fmt.Errorf("an answer of unknown length")
		case name == "":
			_, err := io.CopyN(io.Discard, in, int64(length))
			return err
		}
	}
}
