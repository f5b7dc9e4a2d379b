package datasets

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

// tarred packs members in this order: pairs of name and content.
func tarred(t *testing.T, members ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := 0; i < len(members); i += 2 {
		content := []byte(members[i+1])
		err := w.WriteHeader(&tar.Header{Name: members[i], Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return gzipped(t, buf.String())
}

// testArchive describes an archive of two files, "one" and "two", to be had at
// the addresses.
func testArchive(raw []byte, urls ...string) archive {
	sum := md5.Sum(raw)
	one, two := testFile("one"), testFile("two")
	one.name, two.name = "1.bin", "2.bin"
	one.archives, two.archives = nil, nil
	return archive{name: "numbers.tar.gz", md5: hex.EncodeToString(sum[:]), files: []file{one, two}, urls: urls}
}

var archiveSet = set{name: "numbers", folders: []string{"numbers", ""}}

// loadTwo loads the files of an archive and returns their contents.
func loadTwo(ctx context.Context, a archive, opts ...Option) (got [2]string, err error) {
	err = newConfig(opts).loadArchive(ctx, archiveSet, a, func(i int, content []byte) error {
		got[i] = string(content)
		return nil
	})
	return got, err
}

func TestArchivedFiles(t *testing.T) {
	good := tarred(t, "folder/readme.html", "text", "folder/2.bin", "two", "folder/1.bin", "one")
	want := [2]string{"one", "two"}
	base := serve(t, map[string]http.HandlerFunc{"/good": answer(good), "/other": answer(tarred(t, "1.bin", "one"))})
	dir, cache := t.TempDir(), t.TempDir()
	opts := []Option{WithDir(dir), WithCacheDir(cache)}

	// From the second address, with the first one's fault forgotten.
	got, err := loadTwo(t.Context(), testArchive(good, base+"/other", base+"/good"), opts...)
	if err != nil || got != want {
		t.Fatalf("download: %q, %v", got, err)
	}
	// Unpacked in the cache.
	offline := append(opts, WithoutDownload())
	if got, err = loadTwo(t.Context(), testArchive(good), offline...); err != nil || got != want {
		t.Fatalf("cache: %q, %v", got, err)
	}
	// A cache that was cut off goes for nothing.
	if err := os.Remove(filepath.Join(cache, "numbers", "2.bin")); err != nil {
		t.Fatal(err)
	}
	_, err = loadTwo(t.Context(), testArchive(good), offline...)
	if errortest.Want(t, err, "1.bin, 2.bin (each also .gz) or numbers.tar.gz", dir, cache, "downloads are off"); !errors.Is(err, ErrNotFound) {
		t.Errorf("cause of %q is not ErrNotFound", err)
	}
	// The archive as it is in the data folder, beside one of its files.
	writeFile(t, filepath.Join(dir, "numbers", "numbers.tar.gz"), good)
	writeFile(t, filepath.Join(dir, "numbers", "1.bin"), []byte("one"))
	if got, err = loadTwo(t.Context(), testArchive(good), offline...); err != nil || got != want {
		t.Fatalf("data folder: %q, %v", got, err)
	}
}

// TestDamagedCacheOfArchive has one file of the cache damaged; all are fetched
// again.
func TestDamagedCacheOfArchive(t *testing.T) {
	good := tarred(t, "1.bin", "one", "2.bin", "two")
	base := serve(t, map[string]http.HandlerFunc{"/good": answer(good)})
	cache := t.TempDir()
	writeFile(t, filepath.Join(cache, "numbers", "1.bin"), []byte("one"))
	writeFile(t, filepath.Join(cache, "numbers", "2.bin"), []byte("tw"))
	_, err := loadTwo(t.Context(), testArchive(good), WithDir(""), WithCacheDir(cache), WithoutDownload())
	errortest.Want(t, err, "2.bin: 2 bytes of content, want 3", "downloads are off")
	got, err := loadTwo(t.Context(), testArchive(good, base+"/good"), WithDir(""), WithCacheDir(cache))
	if err != nil || got != [2]string{"one", "two"} {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err = loadTwo(t.Context(), testArchive(good), WithDir(""), WithCacheDir(cache), WithoutDownload()); err != nil {
		t.Error(err)
	}
	// The same in the data folder is the user's to mend.
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "1.bin"), []byte("one"))
	writeFile(t, filepath.Join(dir, "2.bin"), []byte("tw"))
	_, err = loadTwo(t.Context(), testArchive(good, base+"/good"), WithDir(dir), WithCacheDir(cache))
	errortest.Want(t, err, filepath.Join(dir, "2.bin"))
	if own, err := os.ReadFile(filepath.Join(dir, "2.bin")); err != nil || string(own) != "tw" {
		t.Errorf("the user's file holds %q, %v", own, err)
	}
}

func TestDamagedArchives(t *testing.T) {
	good := tarred(t, "1.bin", "one", "2.bin", "two")
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 4
	for name, test := range map[string]struct {
		raw  []byte
		want string
	}{
		"truncated":     {good[:len(good)/2], "numbers.tar.gz"},
		"flipped":       {flipped, "numbers.tar.gz"},
		"no gzip":       {[]byte("1.bin"), "gzip"},
		"no tar":        {gzipped(t, "a text that is longer than half a block, but no archive of anything at all"), "tar"},
		"file missing":  {tarred(t, "1.bin", "one"), "does not hold 2.bin"},
		"twice":         {tarred(t, "1.bin", "one", "a/1.bin", "one"), "holds 1.bin twice"},
		"other content": {tarred(t, "1.bin", "one", "2.bin", "twq"), "2.bin: content has sha256"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, cache := t.TempDir(), t.TempDir()
			path := filepath.Join(dir, "numbers.tar.gz")
			writeFile(t, path, test.raw)
			_, err := loadTwo(t.Context(), testArchive(test.raw), WithDir(dir), WithCacheDir(cache), WithoutDownload())
			if errortest.Want(t, err, path, test.want); errors.Is(err, ErrNotFound) {
				t.Error("a damaged archive counts as not found")
			}
			base := serve(t, map[string]http.HandlerFunc{"/it": answer(test.raw)})
			_, err = loadTwo(t.Context(), testArchive(good, base+"/it"), WithDir(t.TempDir()), WithCacheDir(cache))
			if errortest.Want(t, err, base+"/it (content has md5"); !errors.Is(err, ErrNotFound) {
				t.Errorf("cause of %q is not ErrNotFound", err)
			}
			wantNoFiles(t, cache)
		})
	}
}

// TestArchiveBombs has archives whose members unpack to more than a set's files
// can be: those that are looked for, those that are not, and packed ones.
func TestArchiveBombs(t *testing.T) {
	two := func(a archive) archive {
		for i := range a.files {
			a.files[i].size = 1000
		}
		return a
	}
	for name, test := range map[string]struct {
		raw  []byte
		want string
	}{
		"a file":         {tarred(t, "1.bin", string(make([]byte, 9000)), "2.bin", "two"), "1.bin: more than 8000 bytes"},
		"a packed file":  {tarred(t, "1.bin", string(gzipped(t, string(make([]byte, 9000)))), "2.bin", "two"), "1.bin: gzip: more than 8000 bytes"},
		"another member": {tarred(t, "other", string(make([]byte, 2*slack)), "1.bin", "one", "2.bin", "two"), "more than 1064576 bytes"},
		"many of them":   {tarred(t, "a", string(make([]byte, slack/2)), "b", string(make([]byte, slack/2)), "c", string(make([]byte, 18000))), "more than 1064576 bytes"},
	} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "numbers.tar.gz"), test.raw)
		_, err := loadTwo(t.Context(), two(testArchive(nil)), WithDir(dir), WithCacheDir(t.TempDir()), WithoutDownload(), WithoutChecksum())
		t.Run(name, func(t *testing.T) { errortest.Want(t, err, "numbers.tar.gz", test.want) })
	}
	if got := cifar10.archive.limit(false); got != maxBytes {
		t.Errorf("files of one's own may have %d bytes together, want %d", got, maxBytes)
	}
}

func TestArchiveCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := loadTwo(ctx, testArchive(nil), WithCacheDir(t.TempDir())); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want a cancelled context", err)
	}
	var none context.Context
	_, err := loadTwo(none, testArchive(nil), WithCacheDir(t.TempDir()))
	errortest.Want(t, err, "nil context")
}

// TestCIFARArchive has the whole way from a tar.gz file to images.
func TestCIFARArchive(t *testing.T) {
	files := cifarFiles()
	var members []string
	for name, content := range files { // in any order
		members = append(members, "cifar-10-batches-bin/"+name, string(content))
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "cifar-10-binary.tar.gz"), tarred(t, members...))
	train, test, err := CIFAR10(t.Context(), tensor.Float32, ownImages(dir, t.TempDir())...)
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 15 || test.Len() != 2 || !bytes.Equal(train.Pixels(0), files["data_batch_1.bin"][1:]) {
		t.Errorf("%d and %d images", train.Len(), test.Len())
	}
}
