package datasets

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

const downloadContent = "a,b\n1,2\n3,4\n"

// serve answers each path with its handler, and with 404 otherwise.
func serve(t *testing.T, handlers map[string]http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	for path, handler := range handlers {
		mux.HandleFunc(path, handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func answer(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.Write(body) }
}

// wantNoFiles fails the test if any file lies below dir.
func wantNoFiles(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s is left behind", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// downloadFrom loads a file of downloadContent from urls with nothing on disk.
func downloadFrom(t *testing.T, ctx context.Context, cache string, urls []string, opts ...Option) ([]byte, error) {
	t.Helper()
	t.Setenv(dirVariable, t.TempDir()) // set, but without the file
	f := testFile(downloadContent)
	f.urls = urls
	opts = append([]Option{WithCacheDir(cache)}, opts...)
	return loaded(ctx, newConfig(opts), set{name: "numbers", folders: []string{""}}, f)
}

func TestDownloadForms(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{
		"/numbers.csv":    answer([]byte(downloadContent)),
		"/numbers.csv.gz": answer(gzipped(t, downloadContent)),
		"/numbers.zip":    answer(zipped(t, "numbers.csv", downloadContent)),
	})
	for _, path := range []string{"/numbers.csv", "/numbers.csv.gz", "/numbers.zip"} {
		t.Run(path, func(t *testing.T) {
			cache := t.TempDir()
			got, err := downloadFrom(t, t.Context(), cache, []string{base + path})
			if err != nil || string(got) != downloadContent {
				t.Fatalf("got %q, %v", got, err)
			}
			stored, err := os.ReadFile(filepath.Join(cache, "numbers", "numbers.csv"))
			if err != nil || string(stored) != downloadContent {
				t.Errorf("cache holds %q, %v", stored, err)
			}
			// The second time, the cache has it.
			if _, err := downloadFrom(t, t.Context(), cache, nil, WithoutDownload()); err != nil {
				t.Error(err)
			}
			entries, err := os.ReadDir(filepath.Join(cache, "numbers"))
			if err != nil || len(entries) != 1 {
				t.Errorf("cache folder holds %v, %v", entries, err)
			}
		})
	}
}

func TestDownloadTriesMirrorsInTurn(t *testing.T) {
	var asked []string
	note := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.Path)
			h(w, r)
		}
	}
	base := serve(t, map[string]http.HandlerFunc{
		"/corrupt": note(answer([]byte("a,b\n1,2\n3,5\n"))),
		"/good":    note(answer(gzipped(t, downloadContent))),
		"/unused":  note(answer(nil)),
	})
	got, err := downloadFrom(t, t.Context(), t.TempDir(), []string{base + "/corrupt", base + "/good", base + "/unused"})
	if err != nil || string(got) != downloadContent {
		t.Fatalf("got %q, %v", got, err)
	}
	if len(asked) != 2 || asked[0] != "/corrupt" || asked[1] != "/good" {
		t.Errorf("asked for %q", asked)
	}
}

func TestDownloadFailsEverywhere(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{
		"/page": answer([]byte("<html>")),
		"/cut": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(downloadContent)))
			w.Write([]byte(downloadContent[:5]))
		},
	})
	cache := t.TempDir()
	// Verified even where files on disk would not be.
	_, err := downloadFrom(t, t.Context(), cache,
		[]string{base + "/missing", base + "/page", base + "/cut", "http://[bad"}, WithoutChecksum())
	errortest.Want(t, err, "numbers.csv", filepath.Join(cache, "numbers"),
		base+"/missing (server answers 404 Not Found)",
		base+"/page (6 bytes of content, want 12)",
		base+"/cut (truncated after 5 bytes",
		"http://[bad (")
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("cause of %q is not ErrNotFound", err)
	}
	wantNoFiles(t, cache)
}

func TestDownloadCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	second := false
	base := serve(t, map[string]http.HandlerFunc{
		"/slow": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(downloadContent)))
			w.Write([]byte(downloadContent[:5]))
			w.(http.Flusher).Flush()
			cancel()
			<-r.Context().Done()
		},
		"/second": func(w http.ResponseWriter, r *http.Request) { second = true },
	})
	cache := t.TempDir()
	_, err := downloadFrom(t, ctx, cache, []string{base + "/slow", base + "/second"})
	errortest.Want(t, err, "numbers.csv")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want a cancelled context", err)
	}
	if second {
		t.Error("the second mirror was asked after the cancellation")
	}
	wantNoFiles(t, cache)
}

// stalled sends part of the content and then nothing.
func stalled(asked *int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		*asked++
		w.Header().Set("Content-Length", strconv.Itoa(len(downloadContent)))
		w.Write([]byte(downloadContent[:5]))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

func withIdle(limit time.Duration) Option { return func(c *config) { c.idle = limit } }

func TestDownloadStandsStill(t *testing.T) {
	asked := 0
	base := serve(t, map[string]http.HandlerFunc{"/stalled": stalled(&asked), "/good": answer([]byte(downloadContent))})
	idle := withIdle(50 * time.Millisecond)
	_, err := downloadFrom(t, t.Context(), t.TempDir(), []string{base + "/stalled"}, idle)
	errortest.Want(t, err, base+"/stalled (numbers.csv stood still for 50ms after 5 bytes)")
	if asked != attempts {
		t.Errorf("asked %d times", asked)
	}
	got, err := downloadFrom(t, t.Context(), t.TempDir(), []string{base + "/stalled", base + "/good"}, idle)
	if err != nil || string(got) != downloadContent {
		t.Errorf("after a stalled mirror: %q, %v", got, err)
	}
}

// TestDownloadNoAnswer has a server that takes the question and says nothing, and
// a client that would wait for ever.
func TestDownloadNoAnswer(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{"/mute": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }})
	_, err := downloadFrom(t, t.Context(), t.TempDir(), []string{base + "/mute"}, withIdle(50*time.Millisecond), WithHTTPClient(new(http.Client)))
	errortest.Want(t, err, base+"/mute (numbers.csv: no answer for 100ms)")
}

// TestDownloadAsksAgain has a server that breaks off once.
func TestDownloadAsksAgain(t *testing.T) {
	asked := 0
	base := serve(t, map[string]http.HandlerFunc{"/cut": func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Content-Length", strconv.Itoa(len(downloadContent)))
		if asked == 1 {
			w.Write([]byte(downloadContent[:5]))
			return
		}
		w.Write([]byte(downloadContent))
	}})
	got, err := downloadFrom(t, t.Context(), t.TempDir(), []string{base + "/cut"})
	if err != nil || string(got) != downloadContent || asked != 2 {
		t.Errorf("got %q, %v after %d answers", got, err, asked)
	}
}

// TestDamagedCache has files in the cache that were damaged there: they are
// fetched again. The user's own are not touched.
func TestDamagedCache(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{"/numbers.csv": answer([]byte(downloadContent))})
	for name, raw := range map[string][]byte{
		"numbers.csv":    []byte(downloadContent[:5]),
		"numbers.csv.gz": gzipped(t, downloadContent)[:20],
		"numbers.zip":    []byte("PK\x03\x04"),
	} {
		cache := t.TempDir()
		path := filepath.Join(cache, "numbers", name)
		writeFile(t, path, raw)
		_, err := downloadFrom(t, t.Context(), cache, nil, WithoutDownload())
		errortest.Want(t, err, path, "downloads are off")
		_, err = downloadFrom(t, t.Context(), cache, []string{base + "/missing"})
		errortest.Want(t, err, path, base+"/missing (server answers 404")
		for _, urls := range [][]string{{base + "/numbers.csv"}, nil} { // the second time, the cache has it
			got, err := downloadFrom(t, t.Context(), cache, urls)
			if err != nil || string(got) != downloadContent {
				t.Fatalf("%s: %q, %v", name, got, err)
			}
		}
	}
}

// TestCacheAsDataFolder has the cache named as the data folder: what the user names
// is the user's.
func TestCacheAsDataFolder(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{"/numbers.csv": answer([]byte(downloadContent))})
	cache := t.TempDir()
	path := filepath.Join(cache, "numbers", "numbers.csv")
	writeFile(t, path, []byte("damaged"))
	f := testFile(downloadContent)
	f.urls = []string{base + "/numbers.csv"}
	c := newConfig([]Option{WithDir(cache), WithCacheDir(cache)})
	_, err := loaded(t.Context(), c, set{name: "numbers", folders: []string{"numbers", ""}}, f)
	errortest.Want(t, err, path)
	if text, err := os.ReadFile(path); err != nil || string(text) != "damaged" {
		t.Errorf("the user's file holds %q, %v", text, err)
	}
}

// TestLinkInCache has a damaged file of the user's that the cache has a link to: the
// link gives way, the file stays.
func TestLinkInCache(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{"/numbers.csv": answer([]byte(downloadContent))})
	cache, own := t.TempDir(), filepath.Join(t.TempDir(), "own.csv")
	writeFile(t, own, []byte("damaged"))
	if err := os.Mkdir(filepath.Join(cache, "numbers"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(own, filepath.Join(cache, "numbers", "numbers.csv")); err != nil {
		t.Skip("no symbolic links: ", err)
	}
	got, err := downloadFrom(t, t.Context(), cache, []string{base + "/numbers.csv"})
	if err != nil || string(got) != downloadContent {
		t.Errorf("got %q, %v", got, err)
	}
	if text, err := os.ReadFile(own); err != nil || string(text) != "damaged" {
		t.Errorf("the user's file holds %q, %v", text, err)
	}
}

// TestDamagedCacheByContent has a file without a known sum, in the cache and
// then at the first address, which only its reader finds to be wrong.
func TestDamagedCacheByContent(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{"/wrong": answer([]byte("x\n")), "/numbers.csv": answer([]byte(downloadContent))})
	cache := t.TempDir()
	path := filepath.Join(cache, "numbers", "numbers.csv")
	writeFile(t, path, []byte("x\n"))
	f := file{name: "numbers.csv", urls: []string{base + "/wrong", base + "/numbers.csv"}}
	read := func(content []byte) error {
		_, err := DecodeCSV(bytes.NewReader(content), true)
		return err
	}
	c := newConfig([]Option{WithDir(""), WithCacheDir(cache)})
	if err := c.load(t.Context(), set{name: "numbers"}, f, read); err != nil {
		t.Fatal(err)
	}
	if stored, err := os.ReadFile(path); err != nil || string(stored) != downloadContent {
		t.Errorf("cache holds %q, %v", stored, err)
	}
}

func TestDownloadReportsProgress(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{"/numbers.csv": answer([]byte(downloadContent))})
	var last int64
	report := func(name string, done, total int64) {
		if name != "numbers.csv" || done <= last || total != int64(len(downloadContent)) {
			t.Errorf("progress %s %d of %d after %d", name, done, total, last)
		}
		last = done
	}
	if _, err := downloadFrom(t, t.Context(), t.TempDir(), []string{base + "/numbers.csv"}, WithProgress(report)); err != nil {
		t.Fatal(err)
	}
	if last != int64(len(downloadContent)) {
		t.Errorf("last report at %d bytes", last)
	}
}

func TestDownloadUsesClient(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{"/numbers.csv": answer([]byte(downloadContent))})
	refuse := &http.Client{Transport: refusing{}}
	_, err := downloadFrom(t, t.Context(), t.TempDir(), []string{base + "/numbers.csv"}, WithHTTPClient(refuse))
	errortest.Want(t, err, "refused by the test")
}

type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("refused by the test")
}

func TestStoreFailureLeavesNothing(t *testing.T) {
	cache := t.TempDir()
	// A folder in the file's place makes the last step fail.
	target := filepath.Join(cache, "numbers.csv")
	if err := os.Mkdir(target, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := store(cache, "numbers.csv", []byte("1")); err == nil {
		t.Error("no error")
	}
	wantNoFiles(t, cache)

	// A file in the folder's place makes the first one fail.
	writeFile(t, filepath.Join(cache, "file"), nil)
	errortest.Want(t, store(filepath.Join(cache, "file"), "numbers.csv", []byte("1")), filepath.Join(cache, "file"))
}
