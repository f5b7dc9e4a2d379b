package trainers

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// denseOf makes a tensor of the given shape.
func denseOf[T any](backing []T, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing))
}

// everyKind has all dtypes, the shapes (), (1), (1,1) and larger ones, and
// floats whose bits are easily lost.
func everyKind() []NamedTensor {
	f32 := []float32{0, float32(math.Copysign(0, -1)), math.Float32frombits(0x7fa00001), math.Float32frombits(0xffc12345), float32(math.Inf(1)), 1e-45}
	f64 := []float64{math.Copysign(0, -1), math.Float64frombits(0x7ff0000000000001), math.Float64frombits(0xfff8000000abcdef), math.Inf(-1), 5e-324, math.MaxFloat64, 1, 2}
	return []NamedTensor{
		{Name: "f32", Value: denseOf(f32, 2, 3)},
		{Name: "f64", Value: denseOf(f64, 2, 2, 2)},
		{Name: "int", Value: denseOf([]int{math.MinInt, -1, 0, math.MaxInt}, 4)},
		{Name: "uint64", Value: denseOf([]uint64{0, math.MaxUint64}, 1, 2)},
		{Name: "scalar f32", Value: tensor.New(tensor.FromScalar(math.Float32frombits(0x7fa00001)))},
		{Name: "scalar f64", Value: tensor.New(tensor.FromScalar(-1.5))},
		{Name: "scalar int", Value: tensor.New(tensor.FromScalar(-7))},
		{Name: "scalar uint64", Value: tensor.New(tensor.FromScalar(uint64(7)))},
		{Name: "one", Value: denseOf([]float64{3}, 1)},
		{Name: "one by one", Value: denseOf([]float32{3}, 1, 1)},
		{Name: "ηλ \"quoted\" <&>\n", Value: denseOf([]float32{3}, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)},
	}
}

// storedBits are the stored bytes of a tensor.
func storedBits(t testing.TB, d *tensor.Dense) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeTensor(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sameTensors fails the test if names, dtypes, shapes or bits differ.
func sameTensors(t testing.TB, got, want []NamedTensor) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d tensors, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Name != w.Name || g.Value.Dtype() != w.Value.Dtype() {
			t.Fatalf("tensor %d: %q %v, want %q %v", i, g.Name, g.Value.Dtype(), w.Name, w.Value.Dtype())
		}
		if fmt.Sprint([]int(g.Value.Shape())) != fmt.Sprint([]int(w.Value.Shape())) {
			t.Fatalf("tensor %q: shape %v, want %v", w.Name, g.Value.Shape(), w.Value.Shape())
		}
		if !bytes.Equal(storedBits(t, g.Value), storedBits(t, w.Value)) {
			t.Fatalf("tensor %q: elements %v, want %v", w.Name, g.Value.Data(), w.Value.Data())
		}
	}
}

// encoded is the snapshot as a file.
func encoded(t testing.TB, s *Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sealed is a checkpoint file with any header and the right checksum.
func sealed(version uint32, header string, data []byte) []byte {
	b := []byte(snapshotMagic)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(header)))
	b = append(b, header...)
	b = append(b, data...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// tempFiles are the temporary files in a directory.
func tempFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.tmp-*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestSnapshotRoundTrip(t *testing.T) {
	for name, s := range map[string]*Snapshot{
		"every kind": {Meta: json.RawMessage(`{"step":12,"note":"η"}`), Tensors: everyKind()},
		"no tensors": {Meta: json.RawMessage(`[1,2.50]`)},
		"no meta":    {Tensors: everyKind()[:1]},
		"null meta":  {Meta: json.RawMessage(`null`)},
		"nothing":    {},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "run.ckpt")
			if err := WriteSnapshot(path, s); err != nil {
				t.Fatal(err)
			}
			got, err := ReadSnapshot(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Meta, s.Meta) || (got.Meta == nil) != (s.Meta == nil) {
				t.Errorf("meta %q, want %q", got.Meta, s.Meta)
			}
			sameTensors(t, got.Tensors, s.Tensors)
			if left := tempFiles(t, filepath.Dir(path)); left != nil {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestSnapshotLargeTensor(t *testing.T) {
	values := make([]float32, 100_003) // several chunks and a rest
	for i := range values {
		values[i] = rand.Float32()
	}
	want := []NamedTensor{{Name: "w", Value: denseOf(values, len(values))}}
	got, err := DecodeSnapshot(encoded(t, &Snapshot{Tensors: want}))
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, got.Tensors, want)
}

func TestSnapshotViews(t *testing.T) {
	fresh := func() *tensor.Dense { return denseOf([]float64{1, 2, 3, 4, 5, 6}, 2, 3) }
	slice := func(s ...tensor.Slice) *tensor.Dense {
		v, err := fresh().Slice(s...)
		if err != nil {
			t.Fatal(err)
		}
		return v.(*tensor.Dense)
	}
	transposed := fresh()
	if err := transposed.T(); err != nil {
		t.Fatal(err)
	}
	column := denseOf([]float64{1, 2, 3}, 3, 1)
	if err := column.T(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ stored, want *tensor.Dense }{
		"transposed":        {transposed, denseOf([]float64{1, 4, 2, 5, 3, 6}, 3, 2)},
		"transposed column": {column, denseOf([]float64{1, 2, 3}, 1, 3)},
		"column":            {slice(nil, tensor.S(1)), denseOf([]float64{2, 5}, 2)},
		"last columns":      {slice(nil, tensor.S(1, 3)), denseOf([]float64{2, 3, 5, 6}, 2, 2)},
		"row":               {slice(tensor.S(1)), denseOf([]float64{4, 5, 6}, 3)},
		"element":           {slice(tensor.S(1), tensor.S(1)), tensor.New(tensor.FromScalar(5.0))},
		"every other":       {slice(nil, tensor.S(0, 3, 2)), denseOf([]float64{1, 3, 4, 6}, 2, 2)},
		"column-major":      {tensor.New(tensor.WithShape(2, 3), tensor.AsFortran([]float64{1, 2, 3, 4, 5, 6})), fresh()},
		"column-major one":  {tensor.New(tensor.WithShape(1, 1), tensor.AsFortran([]float64{1})), denseOf([]float64{1}, 1, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeSnapshot(encoded(t, &Snapshot{Tensors: []NamedTensor{{Name: "w", Value: c.stored}}}))
			if err != nil {
				t.Fatal(err)
			}
			sameTensors(t, got.Tensors, []NamedTensor{{Name: "w", Value: c.want}})
		})
	}
}

func TestSnapshotRefusesToStore(t *testing.T) {
	one := denseOf([]float64{1}, 1)
	masked := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float64{1, 2}, []bool{true, false}))
	for name, s := range map[string]*Snapshot{
		"name":        {Tensors: []NamedTensor{{Name: "", Value: one}}},
		"UTF-8":       {Tensors: []NamedTensor{{Name: "\xff", Value: one}}},
		"two tensors": {Tensors: []NamedTensor{{Name: "w", Value: one}, {Name: "w", Value: one}}},
		"no value":    {Tensors: []NamedTensor{{Name: "w", Value: nil}}},
		"dtype":       {Tensors: []NamedTensor{{Name: "w", Value: denseOf([]bool{true}, 1)}}},
		"dtype is":    {Tensors: []NamedTensor{{Name: "w", Value: new(tensor.Dense)}}},
		"masked":      {Tensors: []NamedTensor{{Name: "w", Value: masked}}},
		"header":      {Meta: json.RawMessage(`{`)},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "run.ckpt")
			err := WriteSnapshot(path, s)
			if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), path) {
				t.Fatalf("error %v, want one with %q and the path", err, name)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("file exists: %v", err)
			}
			if left := tempFiles(t, filepath.Dir(path)); left != nil {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestSnapshotEveryFlipIsRefused(t *testing.T) {
	good := encoded(t, &Snapshot{Meta: json.RawMessage(`{"step":3}`), Tensors: everyKind()[:5]})
	b := bytes.Clone(good)
	for i := range b {
		for _, mask := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
			b[i] ^= mask
			s, err := DecodeSnapshot(b)
			if s != nil || !(errors.Is(err, ErrCorruptCheckpoint) || errors.Is(err, ErrNewerCheckpoint)) {
				t.Fatalf("byte %d xor %#x: %v, %v", i, mask, s, err)
			}
			b[i] ^= mask
		}
	}
	if _, err := DecodeSnapshot(b); err != nil {
		t.Fatal(err)
	}
}

func TestSnapshotEveryTruncationIsRefused(t *testing.T) {
	good := encoded(t, &Snapshot{Tensors: everyKind()})
	for n := range good {
		if s, err := DecodeSnapshot(good[:n]); s != nil || !errors.Is(err, ErrCorruptCheckpoint) {
			t.Fatalf("first %d of %d bytes: %v, %v", n, len(good), s, err)
		}
	}
	if _, err := DecodeSnapshot(append(good, 0)); !errors.Is(err, ErrCorruptCheckpoint) {
		t.Errorf("one byte more: %v", err)
	}
}

func TestSnapshotFromTheFuture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.ckpt")
	if err := os.WriteFile(path, sealed(snapshotVersion+1, `{}`, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ReadSnapshot(path)
	if !errors.Is(err, ErrNewerCheckpoint) || !strings.Contains(err.Error(), "written by a newer version") || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if _, err := DecodeSnapshot(sealed(0, `{"tensors":[]}`, nil)); !errors.Is(err, ErrCorruptCheckpoint) {
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
			_, err := DecodeSnapshot(sealed(snapshotVersion, c.header, make([]byte, 16)))
			if !errors.Is(err, ErrCorruptCheckpoint) || !strings.Contains(err.Error(), c.message) {
				t.Errorf("error %v, want one with %q", err, c.message)
			}
		})
	}

	long := sealed(snapshotVersion, `{"tensors":[]}`, nil)
	binary.LittleEndian.PutUint64(long[len(snapshotMagic)+4:], math.MaxUint64)
	if _, err := DecodeSnapshot(long); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("length of the header: %v", err)
	}
}

func TestReadSnapshotErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadSnapshot(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none") {
		t.Error(err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSnapshot(text); !errors.Is(err, ErrCorruptCheckpoint) || !strings.Contains(err.Error(), text) {
		t.Error(err)
	}
}

// failingWriter accepts n bytes, then fails like a full disk.
type failingWriter struct {
	w io.Writer
	n int
}

func (f *failingWriter) Write(b []byte) (int, error) {
	if len(b) <= f.n {
		f.n -= len(b)
		return f.w.Write(b)
	}
	n, _ := f.w.Write(b[:f.n])
	f.n = 0
	return n, syscall.ENOSPC
}

func TestWriteSnapshotFailsMidway(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.ckpt")
	if err := WriteSnapshot(path, &Snapshot{Meta: json.RawMessage(`"old"`)}); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	next := &Snapshot{Meta: json.RawMessage(`"new"`), Tensors: everyKind()}
	size := len(encoded(t, next))
	for n := range size {
		err := durable.Write(path, func(w io.Writer) error { return next.encode(&failingWriter{w, n}) })
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
			t.Fatalf("after %d bytes the old file changed: %v", n, err)
		}
		if left := tempFiles(t, dir); left != nil {
			t.Fatalf("after %d bytes left %v", n, left)
		}
	}
}

func TestWriteSnapshotCannotRename(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.ckpt")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteSnapshot(path, &Snapshot{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("onto a directory: %v", err)
	}
	if left := tempFiles(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
	if err := WriteSnapshot(filepath.Join(dir, "none", "run.ckpt"), &Snapshot{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a missing directory: %v", err)
	}
	if err := WriteSnapshot("", &Snapshot{}); err == nil {
		t.Error("empty path: no error")
	}
}

func TestWriteSnapshotOntoFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a small tmpfs")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a tmpfs: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	path := filepath.Join(dir, "run.ckpt")
	small := &Snapshot{Tensors: everyKind()}
	if err := WriteSnapshot(path, small); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	large := []NamedTensor{{Name: "w", Value: denseOf(make([]float64, 1<<16), 1<<16)}}
	for name, err := range map[string]error{
		"checkpoint":  WriteSnapshot(path, &Snapshot{Tensors: large}),
		"safetensors": WriteSafetensors(path, large),
	} {
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the old file changed: %v", err)
	}
	if left := tempFiles(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
	if err := WriteSnapshot(path, small); err != nil {
		t.Errorf("after the disk was full: %v", err)
	}
}

func TestWriteSnapshotRemovesLeftovers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"run.ckpt.tmp-123", // of a killed writer
		"run.ckpt.tmp-x",   // not our name
		"run.ckpt.tmp-",
		"other.ckpt.tmp-123", // of another checkpoint
		"my run.ckpt.tmp-123",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, p := range []string{filepath.Join(dir, "run.ckpt"), "run.ckpt"} {
		if err := WriteSnapshot(p, &Snapshot{Meta: json.RawMessage(strconv.Quote(p))}); err != nil {
			t.Fatal(err)
		}
		if got := len(tempFiles(t, dir)); got != 4 {
			t.Errorf("%d temporary files, want 4: %v", got, tempFiles(t, dir))
		}
		if _, err := os.Stat("run.ckpt.tmp-123"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the abandoned file is still there: %v", err)
		}
		if err := os.WriteFile("run.ckpt.tmp-123", nil, 0o600); err != nil { // again, for the relative path
			t.Fatal(err)
		}
	}
}

// numbered is a snapshot that has the number n everywhere.
func numbered(n int) *Snapshot {
	values := make([]int, 1<<15)
	for i := range values {
		values[i] = n
	}
	return &Snapshot{
		Meta:    json.RawMessage(strconv.Itoa(n)),
		Tensors: []NamedTensor{{Name: "a", Value: denseOf(values[:1<<14], 1<<14)}, {Name: "b", Value: denseOf(values[1<<14:], 1<<7, 1<<7)}},
	}
}

// numberOf reads a numbered snapshot and checks that all of it is there.
func numberOf(t *testing.T, path string) int {
	t.Helper()
	s, err := ReadSnapshot(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(string(s.Meta))
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, s.Tensors, numbered(n).Tensors)
	return n
}

// endlessWriter names, for the child process of the next test, the checkpoint
// it has to overwrite until it is killed.
const endlessWriter = "APO_TEST_ENDLESS_WRITER"

func TestSnapshotSurvivesKill(t *testing.T) {
	if path := os.Getenv(endlessWriter); path != "" {
		n := numberOf(t, path) + 1
		for start := time.Now(); time.Since(start) < time.Minute; n++ { // not forever, should the parent die
			if err := WriteSnapshot(path, numbered(n)); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	if runtime.GOOS == "windows" {
		t.Skip("needs SIGKILL")
	}

	self, err := os.Executable()
	if err != nil {
		t.Skipf("cannot find the test binary: %v", err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "run.ckpt")
	if err := WriteSnapshot(path, numbered(0)); err != nil {
		t.Fatal(err)
	}
	last := 0
	for round := range 20 {
		child := exec.Command(self, "-test.run=^TestSnapshotSurvivesKill$")
		child.Env = append(os.Environ(), endlessWriter+"="+path)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+rand.IntN(80)) * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := child.Wait(); child.ProcessState.Exited() {
			t.Fatalf("round %d: the writer ended by itself: %v", round, err)
		}
		n := numberOf(t, path)
		if n < last {
			t.Fatalf("round %d: checkpoint %d after %d", round, n, last)
		}
		last = n
	}
	left := tempFiles(t, dir)
	t.Logf("%d checkpoints, %d temporary files left by 20 kills", last, len(left))
	if last == 0 {
		t.Error("no writer came to write a checkpoint")
	}

	if err := WriteSnapshot(path, numbered(last+1)); err != nil {
		t.Fatal(err)
	}
	if left := tempFiles(t, dir); left != nil {
		t.Errorf("left %v", left)
	}
}

// Two writers of the same path must not mix their bytes.
func TestWriteSnapshotConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.ckpt")
	done := make(chan error)
	for writer := range 2 {
		go func() {
			var err error
			for n := 0; n < 10 && err == nil; n++ {
				err = WriteSnapshot(path, numbered(10*writer+n))
			}
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	numberOf(t, path)
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
	f.Add(sealed(snapshotVersion, `{"tensors":[{"name":"w","dtype":"float64","shape":[2,4611686018427387904],"offset":0,"length":8}]}`, make([]byte, 8)), true)
	f.Add([]byte(snapshotMagic), false)
	f.Add([]byte(nil), false)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if n := len(b) - sha256.Size; seal && n >= 0 {
			sum := sha256.Sum256(b[:n])
			b = append(bytes.Clone(b[:n]), sum[:]...)
		}
		s, err := DecodeSnapshot(b)
		if err != nil {
			return
		}
		once := encoded(t, s)
		again, err := DecodeSnapshot(once)
		if err != nil {
			t.Fatal(err)
		}
		sameTensors(t, again.Tensors, s.Tensors)
		if !bytes.Equal(encoded(t, again), once) {
			t.Fatal("encoding is not stable")
		}
	})
}
