package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

func TestSnapshotEveryFlipIsRefused(t *testing.T) {
	good := encoded(t, &Snapshot{Meta: json.RawMessage(`{"step":3}`), Tensors: everyKind()[:5]})
	b := bytes.Clone(good)
	for i := range b {
		for _, mask := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
			b[i] ^= mask
			s, err := Decode(b)
			if s != nil || !(errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNewer)) {
				t.Fatalf("byte %d xor %#x: %v, %v", i, mask, s, err)
			}
			b[i] ^= mask
		}
	}
	if _, err := Decode(b); err != nil {
		t.Fatal(err)
	}
}

func TestSnapshotEveryTruncationIsRefused(t *testing.T) {
	good := encoded(t, &Snapshot{Tensors: everyKind()})
	for n := range good {
		if s, err := Decode(good[:n]); s != nil || !errors.Is(err, ErrCorrupt) {
			t.Fatalf("first %d of %d bytes: %v, %v", n, len(good), s, err)
		}
	}
	if _, err := Decode(append(good, 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("one byte more: %v", err)
	}
}

func TestSnapshotFromTheFuture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.ckpt")
	if err := os.WriteFile(path, sealed(formatVersion+1, `{}`, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Read(path)
	if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "written by a newer version") || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if _, err := Decode(sealed(0, `{"tensors":[]}`, nil)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("version 0: %v", err)
	}
}

// Files with a right checksum whose header lies.
func TestSnapshotHostileHeaders(t *testing.T) {
	const w = `{"name":"w","dtype":"float64","shape":[1],"offset":0,"length":8}`
	for name, c := range map[string]struct {
		header, message string
	}{
		"not JSON":          {`{"tensors":[`, "header"},
		"empty":             {``, "header"},
		"no list":           {`{}`, "list of tensors"},
		"null list":         {`{"tensors":null}`, "list of tensors"},
		"object":            {`{"tensors":{}}`, "list of tensors"},
		"trailing":          {`{"tensors":[` + w + `]} x`, "header"},
		"duplicate name":    {`{"tensors":[` + w + `,` + strings.Replace(w, `"offset":0`, `"offset":8`, 1) + `]}`, "not unique"},
		"no name":           {`{"tensors":[{}]}`, "empty"},
		"number for entry":  {`{"tensors":[1]}`, "tensor 0"},
		"dtype":             {`{"tensors":[` + strings.Replace(w, "float64", "float16", 1) + `]}`, `unknown dtype "float16"`},
		"no shape":          {`{"tensors":[{"name":"w","dtype":"float64","offset":0,"length":8}]}`, "no shape"},
		"zero dimension":    {`{"tensors":[` + strings.Replace(w, "[1]", "[0]", 1) + `]}`, "dimension below 1"},
		"negative":          {`{"tensors":[` + strings.Replace(w, "[1]", "[-1,-1]", 1) + `]}`, "dimension below 1"},
		"product overflows": {`{"tensors":[` + strings.Replace(w, "[1]", "[4294967296,4294967296,4294967296]", 1) + `]}`, "too large"},
		"wraps to 8":        {`{"tensors":[` + strings.Replace(w, "[1]", "[9223372036854775807,9223372036854775807]", 1) + `]}`, "too large"},
		"beyond int":        {`{"tensors":[` + strings.Replace(w, "[1]", "[99999999999999999999]", 1) + `]}`, "tensor 0"},
		"length":            {`{"tensors":[` + strings.Replace(w, `"length":8`, `"length":4`, 1) + `]}`, "needs 8 bytes"},
		"offset":            {`{"tensors":[` + strings.Replace(w, `"offset":0`, `"offset":4`, 1) + `]}`, "offset 4"},
		"negative offset":   {`{"tensors":[` + strings.Replace(w, `"offset":0`, `"offset":-8`, 1) + `]}`, "offset -8"},
		"beyond the data":   {`{"tensors":[{"name":"w","dtype":"float64","shape":[1000000000,1000],"offset":0,"length":8000000000000}]}`, "only 16 are left"},
		"overlap":           {`{"tensors":[` + w + `,` + strings.Replace(w, `"w"`, `"v"`, 1) + `]}`, "offset 0, expected 8"},
		"data left":         {`{"tensors":[` + w + `]}`, "8 bytes belong to no tensor"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(sealed(formatVersion, c.header, make([]byte, 16)))
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.message) {
				t.Errorf("error %v, want one with %q", err, c.message)
			}
		})
	}

	long := sealed(formatVersion, `{"tensors":[]}`, nil)
	binary.LittleEndian.PutUint64(long[len(magic)+4:], math.MaxUint64)
	if _, err := Decode(long); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("length of the header: %v", err)
	}
}

func TestReadSnapshotErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none") {
		t.Error(err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(text); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), text) {
		t.Error(err)
	}
}

// Anything that decodes also encodes, and from then on nothing changes. With
// seal the last 32 bytes are replaced by the checksum, to get past it. Fuzz with
// -fuzzminimizetime=20x: else the time goes into making inputs shorter.
func FuzzDecodeSnapshot(f *testing.F) {
	full := encoded(f, &Snapshot{Meta: json.RawMessage(`{"step":3}`), Tensors: everyKind()})
	f.Add(full, false)
	f.Add(full, true)
	f.Add(full[:len(full)/2], true)
	f.Add(encoded(f, &Snapshot{}), true)
	f.Add(encoded(f, &Snapshot{Tensors: everyKind()[4:6]}), true)
	f.Add(sealed(formatVersion, `{"tensors":[{"name":"w","dtype":"float64","shape":[2,4611686018427387904],"offset":0,"length":8}]}`, make([]byte, 8)), true)
	f.Add([]byte(magic), false)
	f.Add([]byte(nil), false)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if n := len(b) - sha256.Size; seal && n >= 0 {
			sum := sha256.Sum256(b[:n])
			b = append(bytes.Clone(b[:n]), sum[:]...)
		}
		s, err := Decode(b)
		if err != nil {
			return
		}
		once := encoded(t, s)
		again, err := Decode(once)
		if err != nil {
			t.Fatal(err)
		}
		sameTensors(t, again.Tensors, s.Tensors)
		if !bytes.Equal(encoded(t, again), once) {
			t.Fatal("encoding is not stable")
		}
	})
}
