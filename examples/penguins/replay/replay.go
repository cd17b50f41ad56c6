// Package replay asks a model endpoint about penguins, at a rate, and counts what its users
// would see: answers, failures, right species, and which version answered.
package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/protocol"
)

// VersionHeader is where the penguin server says which version answered, failures included.
const VersionHeader = "Model-Version"

// Unknown is the version of an answer that does not say it.
const Unknown = "unknown"

// A Config says whom to ask, and how often.
type Config struct {
	URL     string        // of the endpoint, "http://127.0.0.1:PORT"
	Model   string        // its name
	Rate    float64       // requests a second in all; 0 for as many as the workers can
	Workers int           // requests in flight at most, each on a connection of its own
	Seed    uint64        // of the order of the rows; every row comes once before any comes again
	Timeout time.Duration // for an answer; 10 s when 0
	// Answered is told of every answer, by many workers at a time; may be nil.
	Answered func(Answer)
}

// An Answer is what one request came to.
type Answer struct {
	Version string
	Failed  bool
	Took    time.Duration // from the request to the answer's last byte
}

// A Player asks until it is stopped.
type Player struct {
	config Config
	client *http.Client
	bodies []body
	tally  tally
	pace   *pace
	done   chan struct{}
	stop   context.CancelFunc
}

// A body is a request that is ready to send, and the right answer.
type body struct {
	json    []byte
	species string
}

// Start begins to ask. It ends with ctx or by Stop.
func Start(ctx context.Context, c Config) (*Player, error) {
	if c.Workers < 1 || c.Rate < 0 || c.URL == "" || c.Model == "" {
		return nil, fmt.Errorf("replay to %q, model %q, rate %g, %d workers: want a URL, a model, a rate from 0 and at least 1 worker",
			c.URL, c.Model, c.Rate, c.Workers)
	}
	bodies, err := requests()
	if err != nil {
		return nil, err
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	transport := &http.Transport{MaxIdleConnsPerHost: c.Workers, MaxConnsPerHost: c.Workers}
	ctx, stop := context.WithCancel(ctx)
	p := &Player{
		config: c,
		client: &http.Client{Transport: transport, Timeout: c.Timeout},
		bodies: bodies,
		tally:  tally{counts: Counts{Versions: map[string]Version{}}, began: time.Now()},
		pace:   newPace(c.Rate, len(bodies), c.Seed),
		done:   make(chan struct{}),
		stop:   stop,
	}
	go p.play(ctx)
	return p, nil
}

// Stop ends the asking, waits for answers under way and returns the counts.
func (p *Player) Stop() Counts {
	p.stop()
	<-p.done
	return p.Counts()
}

// Counts returns what was seen so far.
func (p *Player) Counts() Counts { return p.tally.copy() }

// Done is closed when no request is under way any more.
func (p *Player) Done() <-chan struct{} { return p.done }

func (p *Player) play(ctx context.Context) {
	defer close(p.done)
	defer p.stop()
	defer p.client.CloseIdleConnections()
	var workers sync.WaitGroup
	for range p.config.Workers {
		workers.Go(func() {
			for {
				i, err := p.pace.next(ctx)
				if err != nil {
					return
				}
				began := time.Now()
				answer := p.ask(p.bodies[i])
				p.tally.add(answer, began)
				if p.config.Answered != nil {
					p.config.Answered(Answer{answer.version, answer.problem != "", time.Since(began)})
				}
			}
		})
	}
	workers.Wait()
}

// An answer is what one request came to.
type answer struct {
	version string
	problem string // "" if it was answered with 200
	right   bool
}

// ask sends one request. It does not end with the player's context: what was asked is
// answered and counted.
func (p *Player) ask(b body) answer {
	url := p.config.URL + "/v2/models/" + p.config.Model + "/infer"
	response, err := p.client.Post(url, "application/json", bytes.NewReader(b.json))
	if err != nil {
		return answer{version: Unknown, problem: cause(err)}
	}
	defer response.Body.Close()
	version := response.Header.Get(VersionHeader)
	if version == "" {
		version = Unknown
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{version: version, problem: cause(err)}
	}
	if response.StatusCode != http.StatusOK {
		return answer{version: version, problem: fmt.Sprintf("%d %s", response.StatusCode, strings.TrimSpace(string(text)))}
	}
	species, err := species(text)
	if err != nil {
		return answer{version: version, problem: err.Error()}
	}
	return answer{version: version, right: species == b.species}
}

// cause leaves out what differs from request to request, such as ports.
func cause(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}

func species(text []byte) (string, error) {
	var response protocol.Response
	if err := json.Unmarshal(text, &response); err != nil {
		return "", fmt.Errorf("the answer is no inference response: %w", err)
	}
	for _, output := range response.Outputs {
		var words []string
		if output.Name != "species" {
			continue
		}
		if err := json.Unmarshal(output.Data, &words); err != nil || len(words) != 1 {
			return "", errors.New("the answer does not hold one species")
		}
		return words[0], nil
	}
	return "", errors.New("the answer holds no species")
}

// requests writes every row of the data set as a request.
func requests() ([]body, error) {
	rows, err := data.Load()
	if err != nil {
		return nil, err
	}
	bodies := make([]body, len(rows))
	for i, row := range rows {
		inputs, err := protocol.Tensors([]data.Bird{row.Bird})
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(protocol.Request{Inputs: inputs, Outputs: []protocol.Output{{Name: "species"}}})
		if err != nil {
			return nil, fmt.Errorf("write request: %w", err)
		}
		bodies[i] = body{json: b, species: row.Species}
	}
	return bodies, nil
}

// A pace says which row is asked about, and when.
type pace struct {
	mu       sync.Mutex
	interval time.Duration // 0: at once
	due      time.Time
	order    []int
	at       int
	random   *rand.Rand
}

// slack is how far behind its plan a pace may fall before it gives the rest up, so that a
// pause of the endpoint is not followed by a flood.
const slack = 100 * time.Millisecond

func newPace(rate float64, rows int, seed uint64) *pace {
	p := &pace{random: rand.New(rand.NewPCG(seed, 0)), due: time.Now()}
	if rate > 0 {
		p.interval = time.Duration(float64(time.Second) / rate)
	}
	for i := range rows {
		p.order = append(p.order, i)
	}
	return p
}

// next waits until the next request is due and returns its row.
func (p *pace) next(ctx context.Context) (int, error) {
	row, wait := p.take(time.Now())
	if wait <= 0 {
		return row, ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-timer.C:
		return row, nil
	}
}

func (p *pace) take(now time.Time) (row int, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at%len(p.order) == 0 {
		p.random.Shuffle(len(p.order), func(i, j int) { p.order[i], p.order[j] = p.order[j], p.order[i] })
	}
	row = p.order[p.at%len(p.order)]
	p.at++
	if earliest := now.Add(-slack); p.due.Before(earliest) {
		p.due = earliest
	}
	wait = p.due.Sub(now)
	p.due = p.due.Add(p.interval)
	return row, wait
}
