package datasets

import (
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/text"
)

// dirVariable is the environment variable that names the data folder.
const dirVariable = "APO_DATA"

// Progress receives the progress of a download: the number of bytes that have arrived
// and the size of the file, -1 if the server does not send it. It is called from the
// goroutine that called the loader, and starts again from 0 for another address.
type Progress func(name string, done, total int64)

// Option changes where and how a loader looks for its files.
type Option func(*config)

type config struct {
	dir          string
	dirFrom      string // what named it, for messages
	cacheDir     string
	client       *http.Client
	progress     Progress
	skipChecksum bool
	skipDownload bool
	coarse       bool
	limits       text.Limits
	idle         time.Duration
}

// WithDir sets the folder that is searched first. It must exist. The default is the
// value of the environment variable APO_DATA; if both are empty, only the later places
// are searched.
func WithDir(dir string) Option {
	return func(c *config) { c.dir, c.dirFrom = dir, "WithDir" }
}

// WithCacheDir sets the folder for downloads; each set has a folder in it. The default
// is apo-gorgonia in os.UserCacheDir.
func WithCacheDir(dir string) Option {
	return func(c *config) { c.cacheDir = dir }
}

// WithProgress reports downloads to p. The default is no report.
func WithProgress(p Progress) Option {
	return func(c *config) { c.progress = p }
}

// WithHTTPClient sets the client for downloads. The default gives up on a
// server that does not connect or answer within half a minute and on files
// that take longer than an hour. With any client, a server that does not answer
// within a minute is given up, and a download that stands still for half a minute
// is ended and tried once more.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) { c.client = client }
}

// WithoutChecksum accepts files on disk whose content is not that of the
// published file, such as a set of one's own in the same format. Downloads are
// still verified, and so is everything the loader relies on: magic numbers,
// sizes, columns, label range, and the number of rows of Slice.
func WithoutChecksum() Option {
	return func(c *config) { c.skipChecksum = true }
}

// WithoutDownload keeps the loader off the network: a file that is not on disk
// is ErrNotFound.
func WithoutDownload() Option {
	return func(c *config) { c.skipDownload = true }
}

// WithCoarseLabels has CIFAR100 return the 20 coarse classes instead of the 100
// fine ones. It does not concern other sets.
func WithCoarseLabels() Option {
	return func(c *config) { c.coarse = true }
}

// WithLimits has the loaders of texts leave out long sentences, or refuse them. Without
// it, an empty sentence is an error, and a sentence may have any length.
func WithLimits(limits text.Limits) Option {
	return func(c *config) { c.limits = limits }
}

func newConfig(opts []Option) *config {
	c := &config{dir: os.Getenv(dirVariable), dirFrom: dirVariable, idle: idleLimit}
	for _, opt := range opts {
		if opt != nil {
			opt(c)
		}
	}
	if c.client == nil {
		c.client = defaultClient
	}
	return c
}

// cacheFolder is the folder of set s in the cache; it need not exist.
func (c *config) cacheFolder(s set) (string, error) {
	if c.cacheDir != "" {
		return filepath.Join(c.cacheDir, s.name), nil
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", errors.Wrap(err, "no cache folder, give one with WithCacheDir")
	}
	return filepath.Join(base, "apo-gorgonia", s.name), nil
}
