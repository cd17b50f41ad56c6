package github

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	cachedLimit = 1 << 20             // of one answer
	memoryLimit = 32 << 20            // of all in memory
	staleAfter  = 30 * 24 * time.Hour // on disk, since GitHub last said that it is the same
)

// conditional asks whether what was answered before is still the same. 304 costs no quota. It never answers without
// asking: GitHub says, to the token that asks now, whether it may have what is kept.
type conditional struct {
	next  http.RoundTripper
	cache *cache
	meter *meter
}

func (c *conditional) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.Header.Get("If-None-Match") != "" {
		return c.next.RoundTrip(req)
	}
	key := cacheKey(req)
	kept, ok := c.cache.get(key)
	if ok {
		req = req.Clone(req.Context())
		req.Header.Set("If-None-Match", kept.ETag)
	}
	res, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusNotModified && ok {
		c.meter.add(func(u *Usage) { u.NotModified++ })
		c.cache.confirm(key)
		return kept.answer(res), nil
	}
	tag := res.Header.Get("ETag")
	if res.StatusCode != http.StatusOK || tag == "" || strings.Contains(res.Header.Get("Cache-Control"), "no-store") {
		return res, nil
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	c.cache.put(key, kept200{ETag: tag, ContentType: res.Header.Get("Content-Type"), Link: res.Header.Get("Link"), Body: body})
	return res, nil
}

// A kept200 is an answer, as far as clients look at it.
type kept200 struct {
	ETag        string
	ContentType string
	Link        string // other pages
	Body        []byte
}

// answer is it again, with what the 304 says of quota and time.
func (k kept200) answer(res *http.Response) *http.Response {
	res.StatusCode, res.Status = http.StatusOK, "200 OK"
	res.Header.Set("Content-Type", k.ContentType)
	res.Header.Del("Link")
	if k.Link != "" {
		res.Header.Set("Link", k.Link)
	}
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(k.Body)), int64(len(k.Body))
	return res
}

func cacheKey(req *http.Request) string {
	sum := sha256.Sum256([]byte(req.URL.String() + "\n" + req.Header.Get("Accept")))
	return hex.EncodeToString(sum[:])
}

// A cache keeps answers in memory and, if it has a folder, there too. What is wrong with the folder while it is used
// costs requests and no more.
type cache struct {
	dir string // "" for none

	mu    sync.Mutex
	kept  map[string]kept200
	bytes int
}

// openCache makes the folder and throws out what is old.
func openCache(dir string) (*cache, error) {
	c := &cache{dir: dir, kept: map[string]kept200{}}
	if dir == "" {
		return c, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open GitHub: the folder for answers: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("open GitHub: the folder for answers %q: %w", dir, err)
	}
	for _, path := range files {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > staleAfter {
			_ = os.Remove(path)
		}
	}
	return c, nil
}

func (c *cache) get(key string) (kept200, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.kept[key]; ok || c.dir == "" {
		return k, ok
	}
	k, err := readKept(c.path(key))
	if err != nil {
		return kept200{}, false
	}
	c.remember(key, k)
	return k, true
}

func (c *cache) put(key string, k kept200) {
	if len(k.Body) > cachedLimit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remember(key, k)
	if c.dir != "" {
		_ = writeKept(c.path(key), k)
	}
}

// confirm keeps a file from being stale.
func (c *cache) confirm(key string) {
	if c.dir != "" {
		at := time.Now()
		_ = os.Chtimes(c.path(key), at, at)
	}
}

// remember keeps in memory; what does not fit any more is thrown out, whichever it is.
func (c *cache) remember(key string, k kept200) {
	c.bytes += len(k.Body) - len(c.kept[key].Body)
	c.kept[key] = k
	for other, o := range c.kept {
		if c.bytes <= memoryLimit {
			return
		}
		if other != key {
			c.bytes -= len(o.Body)
			delete(c.kept, other)
		}
	}
}

func (c *cache) path(key string) string { return filepath.Join(c.dir, key+".json") }

func readKept(path string) (kept200, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return kept200{}, err
	}
	var k kept200
	if err := json.Unmarshal(b, &k); err != nil {
		return kept200{}, err
	}
	if k.ETag == "" {
		return kept200{}, errors.New("no ETag")
	}
	return k, nil
}

// writeKept puts a whole file in place: another process may read it meanwhile.
func writeKept(path string, k kept200) error {
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "new-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	return os.Rename(f.Name(), path)
}
