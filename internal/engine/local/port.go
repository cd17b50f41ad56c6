package local

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are chosen below those that systems hand out by themselves, to outgoing connections
// too: an endpoint's port is its address for good, and must be free after a restart.
const (
	firstPort = 20000
	lastPort  = 32000
)

// choosePort returns a port that is free now and that no endpoint has.
func choosePort(taken map[int]bool) (int, error) {
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if taken[port] {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, err
		}
		return port, nil
	}
	return 0, fmt.Errorf("choose a port: %w", errors.New("of 200 tried between 20000 and 32000, none was free"))
}
