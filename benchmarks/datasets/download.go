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
)

var defaultClient = &http.Client{
	Timeout: 10 * time.Minute,
	Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		IdleConnTimeout:       30 * time.Second,
	},
}

// download tries the addresses of f in turn and stores the first content that
// verifies in the cache. If none does, it returns neither content nor error
// but what went wrong with each.
func (c *config) download(ctx context.Context, s set, f file) (content []byte, failures []string, err error) {
	folder, err := c.cacheFolder(s)
	if err != nil {
		return nil, nil, errors.Wrapf(err, "datasets: downloading %s", f.name)
	}
	for _, address := range f.urls {
		raw, err := c.get(ctx, address, f.name)
		if ctx.Err() != nil {
			return nil, nil, errors.Wrapf(ctx.Err(), "datasets: downloading %s", f.name)
		}
		if err == nil {
			content, err = f.open(raw, true)
		}
		if err != nil {
			failures = append(failures, address+" ("+err.Error()+")")
			continue
		}
		if err := store(folder, f.name, content); err != nil {
			return nil, nil, errors.Wrapf(err, "datasets: storing %s", f.name)
		}
		return content, nil, nil
	}
	return nil, failures, nil
}

// get returns the body found at address. Its errors do not repeat the address.
func (c *config) get(ctx context.Context, address, name string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, withoutURL(err)
	}
	req.Header.Set("Accept-Encoding", "identity") // so that lengths are those of the file
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Errorf("server answers %s", resp.Status)
	}
	var body io.Reader = resp.Body
	if c.progress != nil {
		body = &progressReader{r: body, report: c.progress, name: name, total: resp.ContentLength}
	}
	return readLimited(body, maxBytes)
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
// none, and a failure leaves nothing behind.
func store(folder, name string, content []byte) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(folder, name+".*.part")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails once the file has its final name
	if _, err := tmp.Write(content); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Chmod(tmp.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), filepath.Join(folder, name))
}
