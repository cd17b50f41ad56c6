package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	rounds = 5                       // of each side, in turn
	round  = 1200 * time.Millisecond // long enough to be past the first connections
)

// routing compares the router, splitting and counting, with proxies that do neither, in front of the same model
// server: net/http's, and nginx where it is installed.
func routing() (figures []figure, err error) {
	model, err := startProxy("model", "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, model.close()) }()
	ways := []way{{"router", ""}, {"bare", ""}}
	for i := range ways {
		p, err := startProxy(ways[i].name, model.addr)
		if err != nil {
			return nil, err
		}
		defer p.close()
		ways[i].addr = p.addr
	}
	ways = append(ways, way{"none", model.addr})
	web, err := startNginx(context.Background(), model.addr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, web.close()) }()
	if web != nil {
		ways = append(ways, way{"nginx", web.addr})
	}
	for _, connections := range []int{1, 16, 64} {
		more, err := race(ways, connections)
		if err != nil {
			return nil, err
		}
		figures = append(figures, more...)
	}
	return figures, nil
}

// A way is an address at which the model is reached, through a proxy or none.
type way struct{ name, addr string }

// race loads all ways in turn, the router first and the bare proxy second, and compares them round by round.
// What the router adds to a request is what the bare proxy adds, and the difference that is told.
func race(ways []way, connections int) ([]figure, error) {
	var bare, web, p50, p99 []float64
	for i := range rounds {
		fmt.Printf("routing: %d connections, round %d of %d:", connections, i+1, rounds)
		var all []loaded
		for _, w := range ways {
			l, err := load(w.addr, connections)
			if err != nil {
				return nil, err
			}
			fmt.Printf(" %s %.0f/s (p50 %s, p99 %s)", w.name, l.perSecond, l.p50.Round(time.Microsecond), l.p99.Round(time.Microsecond))
			all = append(all, l)
		}
		fmt.Println()
		bare = append(bare, all[0].perSecond/all[1].perSecond)
		p50 = append(p50, float64(all[0].p50-all[1].p50)/float64(time.Microsecond))
		p99 = append(p99, float64(all[0].p99-all[1].p99)/float64(time.Microsecond))
		if len(all) > 3 {
			web = append(web, all[0].perSecond/all[3].perSecond)
		}
	}
	name := func(what string) string { return fmt.Sprintf("router_%s_%d_connections", what, connections) }
	figures := []figure{{name: name("over_bare_proxy"), value: median(bare), unit: "times", goal: 1}}
	if web != nil {
		figures = append(figures, figure{name: name("over_nginx"), value: median(web), unit: "times", goal: 0.5})
	}
	if connections == 1 { // with more, both cores are busy, and latency is the inverse of the rate
		figures = append(figures,
			figure{name: name("added_p50_to_bare_proxy"), value: median(p50), unit: "microseconds", most: true, goal: 20},
			figure{name: name("added_p99_to_bare_proxy"), value: median(p99), unit: "microseconds", most: true, goal: 100})
	}
	return figures, nil
}
