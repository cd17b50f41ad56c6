package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// prober opens a connection for each probe, so that an answer proves that the server still accepts
// some, and takes no redirect for an answer.
var prober = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// probe asks whether the server on a port is ready, and returns why not.
func probe(ctx context.Context, c Config, port int, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	paths := []string{"/v2/health/ready", "/v2/models/" + url.PathEscape(c.Name) + "/ready"}
	if c.Protocol == "http" {
		paths = []string{"/" + strings.TrimPrefix(c.ReadyPath, "/")}
	}
	for _, p := range paths {
		where := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) + p
		status, err := ask(ctx, where)
		if err != nil && ctx.Err() != nil {
			return fmt.Errorf("GET %s had no answer within %s", where, timeout)
		}
		if err != nil {
			return err
		}
		if status == http.StatusOK || c.Protocol == "http" && status/100 == 2 {
			continue
		}
		return fmt.Errorf("GET %s was answered with %d %s", where, status, http.StatusText(status))
	}
	return nil
}

func ask(ctx context.Context, where string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return 0, err
	}
	res, err := prober.Do(req)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = fmt.Errorf("GET %s: %w", where, inner.Err)
		}
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
