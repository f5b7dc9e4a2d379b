package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
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
	b := []byte(magic)
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
			if err := Write(path, s); err != nil {
				t.Fatal(err)
			}
			got, err := Read(path)
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
	got, err := Decode(encoded(t, &Snapshot{Tensors: want}))
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
			got, err := Decode(encoded(t, &Snapshot{Tensors: []NamedTensor{{Name: "w", Value: c.stored}}}))
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
			err := Write(path, s)
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
