package datasets

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

func matTag(kind, size int) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(kind)), uint32(size))
}

// matPadded is an element within an array, in its short form where it fits.
func matPadded(kind int, data []byte) []byte {
	if n := len(data); n > 0 && n <= 4 {
		return append(append(binary.LittleEndian.AppendUint32(nil, uint32(n<<16|kind)), data...), make([]byte, 4-n)...)
	}
	b := append(matTag(kind, len(data)), data...)
	return append(b, make([]byte, -len(data)&7)...)
}

// matVariable is an array's element, not compressed, of unsigned bytes.
func matVariable(class byte, name string, shape []int, data []byte) []byte {
	return matStored(class, matUint8, name, shape, data)
}

// matDoubles is an array of class double that is stored as such.
func matDoubles(name string, shape []int, values ...float64) []byte {
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return matStored(matDoubleClass, matDouble, name, shape, data)
}

// matStored is an array's element whose elements are stored as that kind.
func matStored(class byte, kind int, name string, shape []int, data []byte) []byte {
	var dims []byte
	for _, n := range shape {
		dims = binary.LittleEndian.AppendUint32(dims, uint32(n))
	}
	var content []byte
	for _, part := range [][]byte{
		matPadded(matUint32, []byte{class, 0, 0, 0, 0, 0, 0, 0}), matPadded(matInt32, dims),
		matPadded(matInt8, []byte(name)), matPadded(kind, data),
	} {
		content = append(content, part...)
	}
	return append(matTag(matMatrix, len(content)), content...)
}

func matPacked(element []byte) []byte {
	var buf bytes.Buffer
	w := zlib.NewWriter(&buf)
	w.Write(element)
	w.Close()
	return append(matTag(matCompressed, buf.Len()), buf.Bytes()...)
}

// matFile is a file of these elements.
func matFile(elements ...[]byte) []byte {
	b := append(bytes.Repeat([]byte{' '}, 124), 0, 1, 'I', 'M')
	for _, e := range elements {
		b = append(b, e...)
	}
	return b
}

func TestDecodeMAT(t *testing.T) {
	y := matVariable(matDoubleClass, "y", []int{3, 1}, []byte{1, 10, 2})
	long := matVariable(matUint8Class, "a_long_name", []int{1, 2, 5}, []byte("0123456789"))
	for name, content := range map[string][]byte{
		"plain":  matFile(y, long),
		"packed": matFile(matPacked(y), matPacked(long)),
	} {
		all, err := DecodeMAT(content)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(all) != 2 || all[0].Name != "y" || all[1].Name != "a_long_name" ||
			!slices.Equal(all[0].Shape, []int{3, 1}) || !slices.Equal(all[1].Shape, []int{1, 2, 5}) ||
			!bytes.Equal(all[0].Data, []byte{1, 10, 2}) || string(all[1].Data) != "0123456789" {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

func TestDecodeMATErrors(t *testing.T) {
	y := matVariable(matUint8Class, "y", []int{3, 1}, []byte{1, 10, 2})
	packed := matPacked(y)
	damaged := func(b []byte, at int, value byte) []byte {
		b = bytes.Clone(b)
		b[at] = value
		return b
	}
	for _, test := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "too short for a header"},
		{"version", damaged(matFile(y), 125, 2), "little-endian MATLAB 5"},
		{"big-endian", damaged(matFile(y), 126, 'M'), "little-endian MATLAB 5"},
		{"HDF5", append([]byte("MATLAB 7.3 MAT-file"), make([]byte, 200)...), "little-endian MATLAB 5"},
		{"half a tag", matFile(y, []byte{1, 2, 3}), "variable 2: 3 bytes"},
		{"truncated", matFile(y[:len(y)-8]), "of 48 bytes, 40 are left"},
		{"truncated packed", matFile(matTag(matCompressed, len(packed)-16), packed[8:len(packed)-8]), "zlib"},
		{"flipped packed", matFile(damaged(packed, len(packed)-1, packed[len(packed)-1]^1)), "zlib"},
		{"not zlib", matFile(matTag(matCompressed, 8), make([]byte, 8)), "zlib"},
		{"longer than its tag", matFile(matPacked(append(bytes.Clone(y), 0))), "does not end"},
		{"too much", matFile(matPacked(matTag(matMatrix, 1<<28))), "cannot hold"},
		{"packed twice", matFile(matPacked(packed)), "element of type 15"},
		{"text", matFile(append(matTag(matInt8, 8), make([]byte, 8)...)), "element of type 1"},
		{"short form", matFile([]byte{14, 0, 4, 0, 1, 2, 3, 4}), "tag"},
		{"char class", matFile(matVariable(4, "y", []int{3, 1}, []byte{1, 2, 3})), "numeric class"},
		{"sparse class", matFile(matVariable(5, "y", []int{3, 1}, []byte{1, 2, 3})), "numeric class"},
		{"function class", matFile(matVariable(16, "y", []int{3, 1}, []byte{1, 2, 3})), "numeric class"},
		{"complex", matFile(damaged(y, 8+8+1, 8)), "real array of a numeric class"},
		{"half a double", matFile(damaged(y, len(y)-8, matDouble)), "3 bytes of elements are not whole elements of 8"},
		{"text for elements", matFile(damaged(y, len(y)-8, 16)), "type 16"},
		{"fraction", matFile(matDoubles("y", []int{2, 1}, 1, 0.5)), "element 1 is 0.5, want a whole number from 0 to 255"},
		{"not a number", matFile(matDoubles("y", []int{1, 2}, math.NaN(), 1)), "element 0 is NaN"},
		{"infinite", matFile(matDoubles("y", []int{1, 2}, 1, math.Inf(1))), "element 1 is +Inf"},
		{"negative double", matFile(matDoubles("y", []int{1, 2}, 1, -1)), "element 1 is -1"},
		{"too large", matFile(matDoubles("y", []int{1, 2}, 1, 256)), "element 1 is 256"},
		{"one dimension", matFile(matVariable(matUint8Class, "y", []int{3}, []byte{1, 2, 3})), "dimensions"},
		{"negative", matFile(matVariable(matUint8Class, "y", []int{-3, 1}, []byte{1, 2, 3})), "dimension 0 is -3"},
		{"empty array", matFile(matVariable(matUint8Class, "y", []int{0, 1}, nil)), "dimension 0 is 0"},
		{"huge", matFile(matVariable(matUint8Class, "y", []int{1 << 30, 1 << 30, 1 << 30}, []byte{1})), "more than"},
		{"few elements", matFile(matVariable(matUint8Class, "y", []int{4, 1}, []byte{1, 2, 3})), "needs 4 elements, there are 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := DecodeMAT(test.content)
			errortest.Want(t, err, "mat: ", test.want)
		})
	}
}

// TestMATNumbers has every class, stored as every type that it may be.
func TestMATNumbers(t *testing.T) {
	want := []byte{1, 10, 127}
	kinds := map[int]int{matInt8: 1, matUint8: 1, matInt16: 2, matUint16: 2, matInt32: 4, matUint32: 4, matInt64: 8, matUint64: 8}
	for kind, size := range kinds {
		var data []byte
		for _, v := range want {
			data = append(append(data, v), make([]byte, size-1)...)
		}
		for class := byte(matDoubleClass); class <= matUint64Class; class++ {
			all, err := DecodeMAT(matFile(matPacked(matStored(class, kind, "y", []int{1, 3}, data))))
			if err != nil || !bytes.Equal(all[0].Data, want) {
				t.Errorf("class %d of type %d: %v, %v", class, kind, all, err)
			}
		}
	}
	var singles []byte
	for _, v := range want {
		singles = binary.LittleEndian.AppendUint32(singles, math.Float32bits(float32(v)))
	}
	for name, element := range map[string][]byte{
		"single": matStored(7, matSingle, "y", []int{3, 1}, singles),
		"double": matDoubles("y", []int{3, 1}, 1, 10, 127),
	} {
		if all, err := DecodeMAT(matFile(element)); err != nil || !bytes.Equal(all[0].Data, want) {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}
	// A negative number of each signed type.
	for kind, size := range map[int]int{matInt8: 1, matInt16: 2, matInt32: 4, matInt64: 8} {
		_, err := DecodeMAT(matFile(matStored(matUint8Class, kind, "y", []int{1, 1}, bytes.Repeat([]byte{0xff}, size))))
		errortest.Want(t, err, "element 0 is -1")
	}
}

// TestMATBomb has variables that unpack to little each but to much together.
func TestMATBomb(t *testing.T) {
	zeros := matPacked(matVariable(matUint8Class, "X", []int{1000, 1000}, make([]byte, 1e6)))
	bomb := matFile(zeros, zeros, zeros, zeros)
	if len(bomb) > 8000 {
		t.Fatalf("%d bytes", len(bomb))
	}
	_, err := decodeMAT(bomb, 3e6)
	errortest.Want(t, err, "mat: variable 3", "left of the limit")
	if all, err := decodeMAT(bomb, 5e6); err != nil || len(all) != 4 {
		t.Errorf("%d variables, %v", len(all), err)
	}
}

func FuzzMAT(f *testing.F) {
	y := matVariable(matUint8Class, "y", []int{3, 1}, []byte{1, 10, 2})
	f.Add([]byte(nil))
	f.Add(matFile(y, matPacked(y)))
	f.Add(matFile(matVariable(matDoubleClass, "name", []int{2, 1, 1}, []byte{1, 2})))
	f.Add(matFile(matPacked(matTag(matMatrix, 1<<31-1))))
	f.Fuzz(func(t *testing.T, content []byte) {
		all, err := DecodeMAT(content)
		if err != nil {
			return
		}
		for _, a := range all {
			n := 1
			for _, d := range a.Shape {
				n *= d
			}
			if len(a.Shape) < 2 || n < 1 || n != len(a.Data) {
				t.Fatalf("shape %v with %d elements", a.Shape, len(a.Data))
			}
		}
	})
}

// svhnLabelled is svhnBytes with another variable y.
func svhnLabelled(y []byte, n int) []byte {
	return matFile(matPacked(matVariable(matUint8Class, "X", []int{32, 32, 3, n}, make([]byte, n*imageBytes))), matPacked(y))
}

// TestSVHNLabels has the labels as other programs write them.
func TestSVHNLabels(t *testing.T) {
	int64s := []byte{1, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0}
	for name, y := range map[string][]byte{
		"double N×1": matDoubles("y", []int{3, 1}, 1, 10, 9),
		"double 1×N": matDoubles("y", []int{1, 3}, 1, 10, 9),
		"int64 N×1":  matStored(14, matInt64, "y", []int{3, 1}, int64s),
		"int64 1×N":  matStored(14, matInt64, "y", []int{1, 3}, int64s),
		"uint8 1×N":  matVariable(matUint8Class, "y", []int{1, 3}, []byte{1, 10, 9}),
	} {
		_, labels, err := decodeSVHN(svhnLabelled(y, 3))
		if err != nil || !slices.Equal(labels, []int{1, 0, 9}) {
			t.Errorf("%s: %v, %v", name, labels, err)
		}
	}
	_, _, err := decodeSVHN(svhnLabelled(matDoubles("y", []int{1, 4}, 1, 2, 3, 4), 3))
	errortest.Want(t, err, "variable y has shape [1 4], want [3 1] or [1 3]")
}

// svhnBytes is a file of images whose pixel (row, column) of channel c is
// row + 40·column + 80·c, modulo 256, and these labels.
func svhnBytes(labels ...byte) []byte {
	var x []byte
	for i := range labels {
		for c := range channels {
			for column := range side {
				for row := range side {
					x = append(x, byte(row+40*column+80*c+i))
				}
			}
		}
	}
	n := len(labels)
	return matFile(matPacked(matVariable(matUint8Class, "X", []int{32, 32, 3, n}, x)), matPacked(matVariable(matDoubleClass, "y", []int{n, 1}, labels)))
}

func TestSVHN(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "svhn", "train_32x32.mat"), svhnBytes(1, 10, 9))
	writeFile(t, filepath.Join(dir, "svhn", "test_32x32.mat.gz"), gzipped(t, string(svhnBytes(2, 5))))
	opts := ownImages(dir, t.TempDir())
	train, test, err := SVHN(t.Context(), tensor.Float32, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(train.Labels(), []int{1, 0, 9}) || !slices.Equal(test.Labels(), []int{2, 5}) {
		t.Errorf("labels %v and %v", train.Labels(), test.Labels())
	}
	for i := range 3 {
		for at, got := range train.Pixels(i) {
			c, row, column := at/plane, at/side%side, at%side
			if want := byte(row + 40*column + 80*c + i); got != want {
				t.Fatalf("image %d, channel %d, row %d, column %d is %d, want %d", i, c, row, column, got, want)
			}
		}
	}
	checkNormalised(t, train, test)
	_, _, err = SVHN(t.Context(), tensor.Float32, WithDir(dir), WithCacheDir(t.TempDir()), WithoutDownload())
	errortest.Want(t, err, "train_32x32.mat", "want 182040794")

	two := matVariable(matUint8Class, "y", []int{2, 1}, []byte{1, 2})
	for _, bad := range []struct {
		want    string
		content []byte
	}{
		{"no variable X", matFile(two)},
		{"label 1 is 11", svhnBytes(1, 11)},
		{"label 0 is 0", svhnBytes(0, 1)},
		{"variable X has shape [2 1]", matFile(matVariable(matUint8Class, "X", []int{2, 1}, []byte{1, 2}))},
		{"variable y has shape [2 1], want [1 1]", matFile(matVariable(matUint8Class, "X", []int{32, 32, 3, 1}, make([]byte, imageBytes)), two)},
	} {
		writeFile(t, filepath.Join(dir, "svhn", "train_32x32.mat"), bad.content)
		_, _, err := SVHN(t.Context(), tensor.Float32, opts...)
		errortest.Want(t, err, "train_32x32.mat", bad.want)
	}
}
