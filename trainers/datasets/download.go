package datasets

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

var defaultClient = &http.Client{
	Timeout: time.Hour,
	Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		IdleConnTimeout:       30 * time.Second,
	},
}

const (
	// idleLimit is how long a download may stand still.
	idleLimit = 30 * time.Second
	// attempts is how often an address is asked that breaks off its answer.
	attempts = 2
)

// download tries the addresses of f in turn and stores the first content that
// verifies in the cache. If none does, it returns no error but what went wrong
// with each.
func (c *config) download(ctx context.Context, s set, f file, use func(content []byte) error) (found bool, failures []string, err error) {
	folder, err := c.cacheFolder(s)
	if err != nil {
		return false, nil, errors.Wrapf(err, "datasets: %s: downloading %s", s.title, f.name)
	}
	for _, address := range f.urls {
		raw, err := c.get(ctx, address, f.name)
		if ctx.Err() != nil {
			return false, nil, errors.Wrapf(ctx.Err(), "datasets: %s: downloading %s", s.title, f.name)
		}
		var content []byte
		if err == nil {
			content, err = f.open(raw, true, f.limit(true))
		}
		if err == nil && !f.hasSum() { // only use can check it
			err = use(content)
		}
		if err != nil {
			failures = append(failures, address+" ("+err.Error()+")")
			continue
		}
		if err := store(folder, f.name, content); err != nil {
			return false, nil, errors.Wrapf(err, "datasets: storing %s", f.name)
		}
		if f.hasSum() {
			err = use(content)
		}
		return true, nil, errors.Wrapf(err, "datasets: %s", address)
	}
	return false, failures, nil
}

// get returns the body found at address, asked for once more if it breaks off.
// Its errors do not repeat the address.
func (c *config) get(ctx context.Context, address, name string) (raw []byte, err error) {
	for range attempts {
		var began bool
		if raw, began, err = c.getOnce(ctx, address, name); err == nil || !began || ctx.Err() != nil {
			break
		}
	}
	return raw, err
}

// getOnce also reports whether a part of the body arrived.
func (c *config) getOnce(ctx context.Context, address, name string) (raw []byte, began bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, false, withoutURL(err)
	}
	req.Header.Set("Accept-Encoding", "identity")                   // so that lengths are those of the file
	waiting := time.AfterFunc(2*c.idle, func() { cancel(errIdle) }) // to connect and to answer
	resp, err := c.client.Do(req)
	waiting.Stop()
	if err != nil && errors.Is(context.Cause(ctx), errIdle) {
		return nil, false, errors.Errorf("%s: no answer for %v", name, 2*c.idle)
	}
	if err != nil {
		return nil, false, withoutURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, false, errors.Errorf("server answers %s", resp.Status)
	}
	if resp.ContentLength > maxBytes {
		return nil, false, errors.Errorf("server wants to send %d bytes, more than %d", resp.ContentLength, maxBytes)
	}
	idle := &idleReader{r: resp.Body, limit: c.idle, stop: cancel}
	var body io.Reader = idle
	if c.progress != nil {
		body = &progressReader{r: body, report: c.progress, name: name, total: resp.ContentLength}
	}
	raw, err = readLimited(body, maxBytes, 0)
	if err != nil && errors.Is(context.Cause(ctx), errIdle) {
		err = errors.Errorf("%s stood still for %v after %d bytes", name, c.idle, idle.done)
	}
	return raw, true, err
}

var errIdle = errors.New("no bytes came")

// idleReader calls stop when a read takes longer than the limit.
type idleReader struct {
	r     io.Reader
	limit time.Duration
	stop  context.CancelCauseFunc
	done  int64
}

func (i *idleReader) Read(b []byte) (int, error) {
	timer := time.AfterFunc(i.limit, func() { i.stop(errIdle) })
	defer timer.Stop()
	n, err := i.r.Read(b)
	i.done += int64(n)
	return n, err
}

func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// progressReader reports every read.
type progressReader struct {
	r           io.Reader
	report      Progress
	name        string
	done, total int64
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if n > 0 {
		p.done += int64(n)
		p.report(p.name, p.done, p.total)
	}
	return n, err
}

// store puts content at folder/name in one step: readers see the whole file or
// none, and a failure leaves nothing behind. A symbolic link there gives way: the
// file that it leads to may be the user's own.
func store(folder, name string, content []byte) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	path := filepath.Join(folder, name)
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return durable.WriteFile(path, content)
}
