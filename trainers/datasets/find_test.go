package datasets

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

// testFile describes a file of the given content under no address.
func testFile(content string) file {
	sum := sha256.Sum256([]byte(content))
	return file{
		name:     "numbers.csv",
		archives: []string{"numbers.zip", "outer.zip"},
		size:     int64(len(content)),
		sum:      hex.EncodeToString(sum[:]),
	}
}

// loaded is what a loader is given of a file.
func loaded(ctx context.Context, c *config, s set, f file) (content []byte, err error) {
	err = c.load(ctx, s, f, func(b []byte) error {
		content = b
		return nil
	})
	return content, err
}

func gzipped(t *testing.T, content string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zipped(t *testing.T, name, content string) []byte {
	t.Helper()
	var buf bytes.Buffer
	archive := zip.NewWriter(&buf)
	w, err := archive.Create(name)
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFoldersOrder(t *testing.T) {
	data, option, cache, system := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv(dirVariable, data)
	s := set{name: "numbers", folders: []string{"uci/numbers", ""}, system: []string{system}}

	// Every place holds a file of its own; from the last to the first, each
	// hides those after it.
	places := []struct {
		path string
		opts []Option
	}{
		{filepath.Join(system, "numbers.csv"), nil},
		{filepath.Join(cache, "numbers", "numbers.csv"), nil},
		{filepath.Join(data, "numbers.csv.gz"), nil},
		{filepath.Join(data, "uci", "numbers", "numbers.csv.gz"), nil},
		{filepath.Join(data, "uci", "numbers", "numbers.csv"), nil},
		{filepath.Join(option, "numbers.csv"), []Option{WithDir(option)}},
	}
	for i, place := range places {
		content := string(rune('1' + i))
		raw := []byte(content)
		if filepath.Ext(place.path) == ".gz" {
			raw = gzipped(t, content)
		}
		writeFile(t, place.path, raw)

		opts := append([]Option{WithCacheDir(cache), WithoutDownload()}, place.opts...)
		got, err := loaded(t.Context(), newConfig(opts), s, testFile(content))
		if err != nil {
			t.Fatalf("%s: %v", place.path, err)
		}
		if string(got) != content {
			t.Errorf("got %q, want that of %s", got, place.path)
		}
	}
}

func TestUserCacheDir(t *testing.T) {
	t.Setenv(dirVariable, "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	base, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no user cache folder: ", err)
	}
	got := newConfig(nil).folders(set{name: "numbers", folders: []string{""}})
	if want := filepath.Join(base, "apo-gorgonia", "numbers"); len(got) != 1 || got[0] != want {
		t.Errorf("folders %q, want only %q", got, want)
	}
}

func TestArchives(t *testing.T) {
	const content = "a,b\n1,2\n"
	inner := zipped(t, "folder/numbers.csv", content)
	archives := map[string][]byte{
		"numbers.zip": inner,
		"outer.zip":   zipped(t, "numbers.zip", string(inner)),
	}
	for name, raw := range archives {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, name), raw)
			c := newConfig([]Option{WithDir(dir), WithCacheDir(t.TempDir()), WithoutDownload()})
			got, err := loaded(t.Context(), c, set{name: "numbers", folders: []string{""}}, testFile(content))
			if err != nil || string(got) != content {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestDamagedFiles(t *testing.T) {
	const content = "a,b\n1,2\n3,4\n5,6\n"
	packed := gzipped(t, content)
	flipped := bytes.Clone(packed)
	flipped[len(flipped)-6] ^= 1 // in the CRC

	tests := []struct {
		test, name string
		raw        []byte
		want       string
	}{
		{"altered", "numbers.csv", []byte("a,b\n1,2\n3,4\n5,7\n"), "want " + testFile(content).sum},
		{"short", "numbers.csv", []byte(content[:9]), "9 bytes of content, want 16"},
		{"long", "numbers.csv", []byte(content + "7,8\n"), "20 bytes of content, want 16"},
		{"empty", "numbers.csv", nil, "0 bytes of content, want 16"},
		{"truncated gzip", "numbers.csv.gz", packed[:len(packed)-12], "truncated after"},
		{"truncated gzip header", "numbers.csv.gz", packed[:5], "gzip: "},
		{"flipped gzip", "numbers.csv.gz", flipped, "gzip: invalid checksum"},
		{"gzip of more", "numbers.csv.gz", gzipped(t, content+content), "more than 16 bytes of content"},
		{"altered gzip", "numbers.csv.gz", gzipped(t, "a,b\n1,2\n3,4\n5,7\n"), "want " + testFile(content).sum},
		{"archive of another file", "numbers.zip", zipped(t, "letters.csv", content), "does not hold numbers.csv"},
		{"truncated archive", "numbers.zip", zipped(t, "numbers.csv", content)[:40], "zip: "},
	}
	for _, test := range tests {
		t.Run(test.test, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, test.name)
			writeFile(t, path, test.raw)
			c := newConfig([]Option{WithDir(dir), WithCacheDir(t.TempDir()), WithoutDownload()})
			_, err := loaded(t.Context(), c, set{name: "numbers", folders: []string{""}}, testFile(content))
			errortest.Want(t, err, path, test.want)
			if errors.Is(err, ErrNotFound) {
				t.Error("a damaged file counts as not found")
			}
		})
	}
}

func TestWithoutChecksum(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "numbers.csv"), []byte("a\n1\n"))
	c := newConfig([]Option{WithDir(dir), WithCacheDir(t.TempDir()), WithoutDownload(), WithoutChecksum()})
	s := set{name: "numbers", folders: []string{""}}
	if _, err := loaded(t.Context(), c, s, testFile("a\n2\n3\n")); err != nil {
		t.Error(err)
	}
	f := testFile("")
	f.rows = 2
	_, err := loaded(t.Context(), c, s, f)
	errortest.Want(t, err, "numbers.csv", "1 data rows, the full file has 2")
}

// TestMD5 has a file whose SHA-256 sum is not known.
func TestMD5(t *testing.T) {
	f := file{name: "numbers.csv", md5: "c4ca4238a0b923820dcc509a6f75849b"} // of "1"
	if _, err := f.open([]byte("1"), true, f.limit(true)); err != nil {
		t.Error(err)
	}
	_, err := f.open([]byte("2"), true, f.limit(true))
	errortest.Want(t, err, "md5", "want "+f.md5)
	if _, err := f.open([]byte("2"), false, f.limit(false)); err != nil {
		t.Error(err)
	}
}

func TestNotFoundListsPlaces(t *testing.T) {
	data, cache, system := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv(dirVariable, data)
	s := set{name: "numbers", folders: []string{"uci/numbers", ""}, system: []string{system}, note: "buy it"}
	c := newConfig([]Option{WithCacheDir(cache), WithoutDownload()})
	_, err := loaded(t.Context(), c, s, testFile("1"))
	errortest.Want(t, err, "numbers.csv", filepath.Join(data, "uci", "numbers"), data+",",
		filepath.Join(cache, "numbers"), system, "downloads are off", "buy it")
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("cause of %q is not ErrNotFound", err)
	}
}

// TestNotFoundNames has what a user needs to put the files in place.
func TestNotFoundNames(t *testing.T) {
	for name, value := range map[string]string{"set": t.TempDir(), "not set": ""} {
		t.Setenv(dirVariable, value)
		_, _, err := MNIST(t.Context(), tensor.Float32, WithCacheDir(t.TempDir()), WithoutDownload())
		errortest.Want(t, err, "MNIST", "APO_DATA", value, "train-images-idx3-ubyte", "train-images.idx3-ubyte.gz", "not found")
		_, _, err = CIFAR10(t.Context(), tensor.Float32, WithCacheDir(t.TempDir()), WithoutDownload())
		errortest.Want(t, err, "CIFAR-10", "APO_DATA", value, "data_batch_1.bin", "test_batch.bin", "cifar-10-binary.tar.gz")
		_, err = Slice(t.Context(), tensor.Float32, WithCacheDir(t.TempDir()), WithoutDownload())
		if errortest.Want(t, err, "Slice", "APO_DATA", value, "slice_localization_data.csv"); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWrongDataFolder has a data folder that is none: nothing else is tried.
func TestWrongDataFolder(t *testing.T) {
	base := t.TempDir()
	writeFile(t, filepath.Join(base, "file"), []byte("x"))
	cache := t.TempDir()
	writeFile(t, filepath.Join(cache, "numbers", "numbers.csv"), []byte("1"))
	s := set{title: "Numbers", name: "numbers", folders: []string{""}}
	for _, dir := range []string{filepath.Join(base, "nowhere"), filepath.Join(base, "file"), filepath.Join(base, "file", "below"), "a\x00b"} {
		for from, opt := range map[string]Option{dirVariable: nil, "WithDir": WithDir(dir)} {
			if from == dirVariable && strings.ContainsRune(dir, 0) {
				continue
			}
			t.Setenv(dirVariable, "")
			if opt == nil {
				t.Setenv(dirVariable, dir)
			}
			_, err := loaded(t.Context(), newConfig([]Option{opt, WithCacheDir(cache), WithoutDownload()}), s, testFile("1"))
			errortest.Want(t, err, "Numbers", from, dir)
		}
	}
}

// TestForbiddenPlace has a data folder and a file in one that must not be read.
func TestForbiddenPlace(t *testing.T) {
	if os.Geteuid() <= 0 {
		t.Skip("root, or a system without permissions, reads everything")
	}
	dir, other := t.TempDir(), t.TempDir()
	path := filepath.Join(other, "numbers.csv")
	writeFile(t, path, []byte("1"))
	for place, mode := range map[string]os.FileMode{dir: 0, path: 0} {
		if err := os.Chmod(place, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
	for _, d := range []string{dir, other} {
		c := newConfig([]Option{WithDir(d), WithCacheDir(t.TempDir()), WithoutDownload()})
		_, err := loaded(t.Context(), c, set{name: "numbers", folders: []string{""}}, testFile("1"))
		errortest.Want(t, err, filepath.Join(d, "numbers.csv"), "permission")
	}
}

func TestUnreadablePlace(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "numbers.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := newConfig([]Option{WithDir(dir), WithCacheDir(t.TempDir()), WithoutDownload()})
	_, err := loaded(t.Context(), c, set{name: "numbers", folders: []string{""}}, testFile("1"))
	errortest.Want(t, err, filepath.Join(dir, "numbers.csv"))
}

func TestContextIsChecked(t *testing.T) {
	c := newConfig([]Option{nil, WithCacheDir(t.TempDir()), WithoutDownload()})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := loaded(ctx, c, set{}, testFile("1")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want a cancelled context", err)
	}
	var none context.Context
	_, err := loaded(none, c, set{}, testFile("1"))
	errortest.Want(t, err, "nil context")
}
