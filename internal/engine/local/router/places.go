package router

import (
	"net"
	"sync"
	"syscall"
)

const (
	descriptorsKept = 128 // for the store, logs, model servers and the engine's own socket
	leastPlaces     = 16
	mostPlaces      = 1 << 16
)

// Places are how many connections of users are open at once, at all endpoints together. More wait
// in the kernel's queue: without a bound, users would take the last descriptor, and nobody could end a
// rollout any more.
type Places chan struct{}

// NewPlaces makes as many as the process may have: each takes a descriptor here, and one to a model server.
func NewPlaces() Places {
	n := uint64(mostPlaces)
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		n = min(n, max(limit.Cur, descriptorsKept)/2-descriptorsKept/2)
	}
	return make(Places, max(n, leastPlaces))
}

// A listener gives each connection a place.
type listener struct {
	net.Listener
	places Places
	closed chan struct{}
	once   sync.Once
}

func (p Places) listen(l net.Listener) net.Listener {
	if p == nil {
		return l
	}
	return &listener{Listener: l, places: p, closed: make(chan struct{})}
}

// Accept waits for a place first.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		<-l.places // there is no other kind
		return c, nil
	}
	return &placed{TCPConn: tcp, places: l.places}, nil
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// A placed connection is all that a TCP connection is, and gives its place back when it is closed.
type placed struct {
	*net.TCPConn
	places Places
	once   sync.Once
}

func (c *placed) Close() error {
	err := c.TCPConn.Close()
	c.once.Do(func() { <-c.places })
	return err
}
