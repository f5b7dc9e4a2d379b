package checkpoint

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

// allocated is the memory that f allocates, in bytes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Files that are not what they should be are refused by their first bytes and
// sizes: these have a terabyte of zeros behind.
func TestHugeFilesAreRefusedUnread(t *testing.T) {
	const huge = 1 << 40
	snapshot := func(header string) string {
		b := binary.LittleEndian.AppendUint32([]byte(magic), formatVersion)
		return string(binary.LittleEndian.AppendUint64(b, uint64(len(header)))) + header
	}
	safetensors := func(length uint64, header string) string {
		return string(binary.LittleEndian.AppendUint64(nil, length)) + header
	}
	const header = `{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`
	path := filepath.Join(t.TempDir(), "file")
	for what, c := range map[string]struct {
		start string
		read  func(string) error
		cause error
	}{
		"zeros for a checkpoint":      {"", readsSnapshot, ErrCorrupt},
		"text for a checkpoint":       {"hello", readsSnapshot, ErrCorrupt},
		"long header of a checkpoint": {magic + "\x01\x00\x00\x00\x00\x00\x00\x00\x80", readsSnapshot, ErrCorrupt},
		"zeros for safetensors":       {"", readsSafetensors, ErrCorruptSafetensors},
		"no JSON for safetensors":     {safetensors(90_000_000, "x"), readsSafetensors, ErrCorruptSafetensors},
		"long header of safetensors":  {safetensors(1<<35, "{"), readsSafetensors, ErrCorruptSafetensors},
		"safetensors with more data":  {safetensors(uint64(len(header)), header), readsSafetensors, ErrCorruptSafetensors},
	} {
		if err := os.WriteFile(path, []byte(c.start), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, huge); err != nil {
			t.Skipf("no sparse files: %v", err)
		}
		var err error
		if n := allocated(func() { err = c.read(path) }); n > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", what, n)
		}
		if !errors.Is(err, c.cause) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
	}

	// Sizes that do not add up, in a file that can be read in a test.
	for name, tensors := range map[string]string{
		"more data": `[{"name":"w","dtype":"float64","shape":[1],"offset":0,"length":8}]`,
		"less data": `[{"name":"w","dtype":"float64","shape":[999999999],"offset":0,"length":7999999992}]`,
	} {
		if err := os.WriteFile(path, []byte(snapshot(`{"tensors":`+tensors+`}`)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, 64<<20); err != nil {
			t.Fatal(err)
		}
		var err error
		if n := allocated(func() { err = readsSnapshot(path) }); n > 1<<20 || !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v, %d bytes were allocated", name, err, n)
		}
	}
	for what, err := range map[string]error{"checkpoint": readsSnapshot(os.DevNull), "safetensors": readsSafetensors(os.DevNull)} {
		if err == nil || !strings.Contains(err.Error(), os.DevNull) {
			t.Errorf("%s from a device: %v", what, err)
		}
	}
}

func readsSnapshot(path string) error {
	_, err := Read(path)
	return err
}

func readsSafetensors(path string) error {
	_, err := ReadSafetensors(path)
	return err
}
