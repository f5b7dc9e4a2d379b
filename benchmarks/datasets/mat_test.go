package datasets

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/tensor"
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

// matVariable is an array's element, not compressed.
func matVariable(class byte, name string, shape []int, data []byte) []byte {
	var dims []byte
	for _, n := range shape {
		dims = binary.LittleEndian.AppendUint32(dims, uint32(n))
	}
	var content []byte
	for _, part := range [][]byte{
		matPadded(matUint32, []byte{class, 0, 0, 0, 0, 0, 0, 0}), matPadded(matInt32, dims),
		matPadded(matInt8, []byte(name)), matPadded(matUint8, data),
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
		{"single class", matFile(matVariable(7, "y", []int{3, 1}, []byte{1, 2, 3})), "class uint8 or double"},
		{"complex", matFile(damaged(y, 8+8+1, 8)), "class uint8 or double"},
		{"doubles", matFile(damaged(y, len(y)-8, 9)), "elements are of type 9"},
		{"one dimension", matFile(matVariable(matUint8Class, "y", []int{3}, []byte{1, 2, 3})), "dimensions"},
		{"negative", matFile(matVariable(matUint8Class, "y", []int{-3, 1}, []byte{1, 2, 3})), "dimension 0 is -3"},
		{"empty array", matFile(matVariable(matUint8Class, "y", []int{0, 1}, nil)), "dimension 0 is 0"},
		{"huge", matFile(matVariable(matUint8Class, "y", []int{1 << 30, 1 << 30, 1 << 30}, []byte{1})), "more than"},
		{"few elements", matFile(matVariable(matUint8Class, "y", []int{4, 1}, []byte{1, 2, 3})), "needs 4 elements, there are 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := DecodeMAT(test.content)
			wantError(t, err, "mat: ", test.want)
		})
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
	wantError(t, err, "train_32x32.mat", "want 182040794")

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
		wantError(t, err, "train_32x32.mat", bad.want)
	}
}
