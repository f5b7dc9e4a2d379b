package checkpoint

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// rawSafetensors is a file with any header.
func rawSafetensors(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func encodedSafetensors(t testing.TB, tensors []NamedTensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encodeSafetensors(&b, tensors, formatOf); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSafetensorsRoundTrip(t *testing.T) {
	for name, want := range map[string][]NamedTensor{"every kind": everyKind(), "none": nil} {
		path := filepath.Join(t.TempDir(), "w.safetensors")
		if err := WriteSafetensors(path, want); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := ReadSafetensors(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sameTensors(t, got, want)
		if left := tempFiles(t, filepath.Dir(path)); left != nil {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

// The bytes of a file, written down from the definition of the format.
func TestSafetensorsBytes(t *testing.T) {
	w := denseOf([]float32{1, -2, 3, 4}, 2, 2)
	if err := w.T(); err != nil { // stored as it shows, row-major
		t.Fatal(err)
	}
	tensors := []NamedTensor{
		{Name: "z.weight", Value: w},
		{Name: "a.bias", Value: denseOf([]float64{0.5}, 1)},
		{Name: "n", Value: tensor.New(tensor.FromScalar(-1))},
	}
	header := `{"z.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},` +
		`"a.bias":{"dtype":"F64","shape":[1],"data_offsets":[16,24]},` +
		`"n":{"dtype":"I64","shape":[],"data_offsets":[24,32]}}`
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	want := rawSafetensors(header, []byte{
		0, 0, 0x80, 0x3f, 0, 0, 0x40, 0x40, 0, 0, 0, 0xc0, 0, 0, 0x80, 0x40,
		0, 0, 0, 0, 0, 0, 0xe0, 0x3f,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	})
	if got := encodedSafetensors(t, tensors); !bytes.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// A file by another writer: metadata, white space, keys in another order than
// the data, no padding.
func TestSafetensorsByOthers(t *testing.T) {
	b := rawSafetensors(`{ "b": {"data_offsets":[4,12],"shape":[1,2],"dtype":"F32"},
		"__metadata__": {"format":"pt"}, "a": {"shape":[1],"dtype":"F32","data_offsets":[0,4]} }`,
		[]byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40})
	got, err := decodeSafetensors(b)
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, got, []NamedTensor{{Name: "a", Value: denseOf([]float32{1}, 1)}, {Name: "b", Value: denseOf([]float32{2, 3}, 1, 2)}})
}

func TestSafetensorsRefused(t *testing.T) {
	const w = `"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}`
	for name, c := range map[string]struct {
		header  string
		corrupt bool
		message string
	}{
		"empty header":       {``, true, "not a JSON object"},
		"list":               {`[]`, true, "not a JSON object"},
		"cut":                {`{` + w, true, "header"},
		"cut key":            {`{"w`, true, "header"},
		"number for key":     {`{1:2}`, true, ""},
		"more after it":      {`{` + w + `} x`, true, "goes on"},
		"two objects":        {`{` + w + `}{}`, true, "goes on"},
		"duplicate":          {`{` + w + `,` + w + `}`, true, "not unique"},
		"duplicate escaped":  {`{` + w + `,` + strings.Replace(w, `"w"`, `"\u0077"`, 1) + `}`, true, "not unique"},
		"empty name":         {`{` + strings.Replace(w, `"w"`, `""`, 1) + `}`, true, "empty"},
		"metadata":           {`{"__metadata__":{"a":1},` + w + `}`, true, "metadata"},
		"metadata twice":     {`{"__metadata__":{},"__metadata__":{},` + w + `}`, true, "not unique"},
		"not an entry":       {`{"w":1}`, true, `"w"`},
		"dtype":              {`{` + strings.Replace(w, "F64", "F8_E4M3", 1) + `}`, false, `"F8_E4M3"`},
		"no shape":           {`{"w":{"dtype":"F64","data_offsets":[0,8]}}`, true, "no shape"},
		"no offsets":         {`{"w":{"dtype":"F64","shape":[1]}}`, true, "two offsets"},
		"three offsets":      {`{` + strings.Replace(w, "[0,8]", "[0,8,8]", 1) + `}`, true, "two offsets"},
		"no elements":        {`{` + strings.Replace(w, "[1]", "[1,0]", 1) + `}`, false, "no elements"},
		"negative dimension": {`{` + strings.Replace(w, "[1]", "[-1]", 1) + `}`, true, "below 1"},
		"overflow":           {`{` + strings.Replace(w, "[1]", "[4611686018427387904,4]", 1) + `}`, true, "too large"},
		"size":               {`{` + strings.Replace(w, "[1]", "[2]", 1) + `}`, true, "needs 16 bytes"},
		"backwards":          {`{` + strings.Replace(w, "[0,8]", "[8,0]", 1) + `}`, true, "needs 8 bytes"},
		"negative offset":    {`{` + strings.Replace(w, "[0,8]", "[-8,0]", 1) + `}`, true, "needs 8 bytes"},
		"gap":                {`{` + strings.Replace(w, "[0,8]", "[8,16]", 1) + `}`, true, "expected 0"},
		"overlap":            {`{` + w + `,` + strings.Replace(w, `"w"`, `"v"`, 1) + `}`, true, "expected 8"},
		"beyond the data":    {`{"w":{"dtype":"F64","shape":[3],"data_offsets":[0,24]}}`, true, "16 bytes of data"},
		"data left":          {`{` + w + `}`, true, "belong to no tensor"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "w.safetensors")
			if err := os.WriteFile(path, rawSafetensors(c.header, make([]byte, 16)), 0o600); err != nil {
				t.Fatal(err)
			}
			tensors, err := ReadSafetensors(path)
			if tensors != nil || err == nil || errors.Is(err, ErrCorruptSafetensors) != c.corrupt ||
				!strings.Contains(err.Error(), c.message) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v, error %v, want one with %q and the path", tensors, err, c.message)
			}
		})
	}
	for _, b := range [][]byte{nil, make([]byte, 7), {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {3, 0, 0, 0, 0, 0, 0, 0, '{', '}'}} {
		if _, err := decodeSafetensors(b); !errors.Is(err, ErrCorruptSafetensors) {
			t.Errorf("%v: %v", b, err)
		}
	}
	for _, head := range []string{"PK\x03\x04\x00\x00\x08\x08\x00\x00", "\x80\x02}q\x00(X\x01\x00\x00"} { // of torch.save, today's and before 1.6
		if _, err := decodeSafetensors([]byte(head)); !errors.Is(err, ErrCorruptSafetensors) || !strings.Contains(err.Error(), "torch.save") {
			t.Errorf("%q: %v", head, err)
		}
	}
	if _, err := ReadSafetensors(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestSafetensorsEveryTruncationIsRefused(t *testing.T) {
	good := encodedSafetensors(t, everyKind())
	for n := range good {
		if _, err := decodeSafetensors(good[:n]); err == nil {
			t.Fatalf("first %d of %d bytes: no error", n, len(good))
		}
	}
}

func TestWriteSafetensorsRefusesToStore(t *testing.T) {
	one := denseOf([]float64{1}, 1)
	path := filepath.Join(t.TempDir(), "w.safetensors")
	for name, tensors := range map[string][]NamedTensor{
		"reserved":    {{Name: "__metadata__", Value: one}},
		"two tensors": {{Name: "w", Value: one}, {Name: "w", Value: one}},
		"no value":    {{Name: "w", Value: nil}},
		"dtype":       {{Name: "w", Value: denseOf([]complex64{1}, 1)}},
	} {
		if err := WriteSafetensors(path, tensors); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 0 {
		t.Errorf("%v, %v", files, err)
	}
}

func TestSafetensorsWriterFails(t *testing.T) {
	size := len(encodedSafetensors(t, everyKind()))
	for n := range size {
		if err := encodeSafetensors(&failingWriter{new(bytes.Buffer), n}, everyKind(), formatOf); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}

// What decodes also encodes and is then the same. Fuzz with
// -fuzzminimizetime=20x: else the time goes into making inputs shorter.
func FuzzReadSafetensors(f *testing.F) {
	f.Add(encodedSafetensors(f, everyKind()))
	f.Add(encodedSafetensors(f, nil))
	f.Add(encodedSafetensors(f, everyKind()[4:6]))
	f.Add(rawSafetensors(`{"__metadata__":{"format":"pt"},"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, make([]byte, 8)))
	f.Add(rawSafetensors(`{"a":{"dtype":"F64","shape":[2,4611686018427387904],"data_offsets":[0,8]}}`, make([]byte, 8)))
	f.Fuzz(func(t *testing.T, b []byte) {
		tensors, err := decodeSafetensors(b)
		if err != nil {
			return
		}
		again, err := decodeSafetensors(encodedSafetensors(t, tensors))
		if err != nil {
			t.Fatal(err)
		}
		sameTensors(t, again, tensors)
	})
}
