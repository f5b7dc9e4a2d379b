package datasets

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

// loader is a set with its smallest files.
type loader struct {
	files map[string][]byte
	load  func(ctx context.Context, dtype tensor.Dtype, opts ...Option) error
}

// pair and table drop what a loader returns.
func pair[D any](load func(context.Context, tensor.Dtype, ...Option) (D, D, error)) func(context.Context, tensor.Dtype, ...Option) error {
	return func(ctx context.Context, dtype tensor.Dtype, opts ...Option) error {
		_, _, err := load(ctx, dtype, opts...)
		return err
	}
}

func table[D any](load func(context.Context, tensor.Dtype, ...Option) (D, error)) func(context.Context, tensor.Dtype, ...Option) error {
	return func(ctx context.Context, dtype tensor.Dtype, opts ...Option) error {
		_, err := load(ctx, dtype, opts...)
		return err
	}
}

const (
	proteinText = "RMSD,F1,F2,F3,F4,F5,F6,F7,F8,F9\n1,1,2,3,4,5,6,7,8,9\n2,2,3,4,5,6,7,8,9,0\n"
	casp        = "CASP.csv"
	trainImages = "train-images-idx3-ubyte"
	trainLabels = "train-labels-idx1-ubyte"
	trainMAT    = "train_32x32.mat"
)

func idxFiles() map[string][]byte {
	pixels := make([]byte, 2*784)
	return map[string][]byte{
		trainImages:              idxBytes([]uint32{2, 28, 28}, pixels),
		trainLabels:              idxBytes([]uint32{2}, []byte{9, 0}),
		"t10k-images-idx3-ubyte": idxBytes([]uint32{1, 28, 28}, pixels[:784]),
		"t10k-labels-idx1-ubyte": idxBytes([]uint32{1}, []byte{3}),
	}
}

// loaders are all sets that lie in files.
func loaders() map[string]loader {
	coarse := map[string][]byte{"train.bin": cifarRecords(1, []byte{19, 99}, []byte{0, 0}), "test.bin": cifarRecords(2, []byte{1, 1})}
	return map[string]loader{
		"MNIST":        {idxFiles(), pair(MNIST)},
		"FashionMNIST": {idxFiles(), pair(FashionMNIST)},
		"CIFAR10":      {cifarFiles(), pair(CIFAR10)},
		"CIFAR100":     {coarse, pair(CIFAR100)},
		"SVHN":         {map[string][]byte{trainMAT: plainSVHN(), "test_32x32.mat": svhnBytes(2)}, pair(SVHN)},
		"Protein":      {map[string][]byte{casp: []byte(proteinText)}, table(Protein)},
	}
}

// plainSVHN is a file of one image that is not compressed.
func plainSVHN() []byte {
	return matFile(
		matVariable(matUint8Class, "X", []int{32, 32, 3, 1}, make([]byte, imageBytes)),
		matVariable(matDoubleClass, "y", []int{1, 1}, []byte{7}))
}

// badFile is a file in the place of one of a set's.
type badFile struct {
	set, name string
	content   []byte
	why       string
}

// cuts are all beginnings of a file that end within its first n bytes, and one
// that lacks the last byte.
func cuts(set, name string, content []byte, n int) []badFile {
	var all []badFile
	for i := range n {
		all = append(all, badFile{set, name, content[:i], fmt.Sprintf("cut after %d bytes", i)})
	}
	return append(all, badFile{set, name, content[:len(content)-1], "without its last byte"})
}

// replaced is content with a byte changed.
func replaced(content []byte, at int, value byte) []byte {
	b := bytes.Clone(content)
	b[at] = value
	return b
}

func badIDX(t *testing.T) []badFile {
	images, labels := idxFiles()[trainImages], idxFiles()[trainLabels]
	all := append(cuts("MNIST", trainImages, images, 17), cuts("FashionMNIST", trainLabels, labels, 9)...)
	all = append(all, cuts("MNIST", trainImages+".gz", gzipped(t, string(images)), 20)...)
	add := func(why string, content []byte) { all = append(all, badFile{"MNIST", trainImages, content, why}) }
	for at := range 4 {
		add(fmt.Sprintf("wrong byte %d of the magic number", at), replaced(images, at, 0x7f))
	}
	for _, kind := range []byte{0x09, 0x0b, 0x0c, 0x0d, 0x0e} {
		add("elements that are no bytes", replaced(images, 2, kind))
	}
	for at := 4; at < 16; at++ {
		add("an absurd size", replaced(images, at, 0xff))
	}
	add("sizes whose product overflows", idxBytes([]uint32{1 << 31, 1 << 31, 4}, nil))
	add("sizes whose product overflows to 0", idxBytes([]uint32{1 << 16, 1 << 16, 1 << 16, 1 << 16}, nil))
	add("a size of 0", idxBytes([]uint32{0, 28, 28}, nil))
	add("big-endian read as little-endian", append([]byte{3, 8, 0, 0}, images[4:]...))
	add("a gzip of nothing", gzipped(t, ""))
	add("a gzip of a gzip", gzipped(t, string(gzipped(t, string(images)))))
	add("a text", []byte("<!DOCTYPE html>"))
	add("a byte too many", append(bytes.Clone(images), 0))
	all = append(all, badFile{"MNIST", trainLabels, idxBytes([]uint32{2}, []byte{10, 0}), "a class out of range"})
	return append(all, badFile{"MNIST", trainLabels, idxBytes([]uint32{3}, []byte{1, 2, 3}), "a label too many"})
}

func badMAT() []badFile {
	plain := plainSVHN()
	all := cuts("SVHN", trainMAT, plain, matHeader+8+16+24+8)
	all = append(all, cuts("SVHN", trainMAT, svhnBytes(1), matHeader+8+20)...)
	add := func(why string, content []byte) { all = append(all, badFile{"SVHN", trainMAT, content, why}) }
	for at := 124; at < 128; at++ {
		add("a wrong header", replaced(plain, at, 0x7f))
	}
	for at := matHeader; at < matHeader+16+8; at++ { // the tags and the flags
		if at != matHeader+19 && at < matHeader+16+2 { // those that count
			add(fmt.Sprintf("byte %d wrong", at), replaced(plain, at, 0x7f))
		}
	}
	for at := matHeader + 32; at < matHeader+48; at++ {
		add("an absurd size", replaced(plain, at, 0x7f))
	}
	x := matVariable(matUint8Class, "X", []int{32, 32, 3, 1}, make([]byte, imageBytes))
	for why, y := range map[string][]byte{
		"NaN":             matDoubles("y", []int{1, 1}, nan()),
		"a fraction":      matDoubles("y", []int{1, 1}, 1.5),
		"a class of 11":   matDoubles("y", []int{1, 1}, 11),
		"a class of 0":    matDoubles("y", []int{1, 1}, 0),
		"two labels":      matDoubles("y", []int{1, 2}, 1, 2),
		"another name":    matDoubles("Y", []int{1, 1}, 1),
		"a cell":          matVariable(1, "y", []int{1, 1}, []byte{1}),
		"three axes":      matDoubles("y", []int{1, 1, 1}, 1),
		"bytes left over": append(matDoubles("y", []int{1, 1}, 1), 1, 2, 3),
	} {
		add(why, matFile(x, y))
	}
	add("MATLAB 7.3", append([]byte("MATLAB 7.3 MAT-file"), make([]byte, 500)...))
	return all
}

func badRecords(t *testing.T) []badFile {
	train := loaders()["CIFAR100"].files["train.bin"]
	all := cuts("CIFAR100", "train.bin", train, 4)
	all = append(all, cuts("CIFAR10", "data_batch_3.bin", cifarFiles()["data_batch_3.bin"], 3)...)
	return append(all,
		badFile{"CIFAR100", "train.bin", replaced(train, 0, 20), "a coarse class out of range"},
		badFile{"CIFAR100", "train.bin", replaced(train, 1, 100), "a fine class out of range"},
		badFile{"CIFAR100", "test.bin", append(bytes.Clone(train), 1), "a byte too many"},
		badFile{"CIFAR10", "test_batch.bin", []byte{10}, "a record of one byte"},
		badFile{"CIFAR10", "data_batch_1.bin.gz", gzipped(t, "")[:9], "half a gzip"})
}

func badTables(t *testing.T) []badFile {
	all := cuts("Protein", "physicochemical+properties+of+protein+tertiary+structure.zip", zipped(t, casp, proteinText), 40)
	for why, text := range map[string]string{
		"nothing":             "",
		"a line end":          "\n",
		"a header alone":      proteinText[:strings.Index(proteinText, "\n")],
		"no header":           "1,2,3,4,5,6,7,8,9,10\n",
		"half a line":         proteinText[:len(proteinText)-3],
		"NaN":                 strings.Replace(proteinText, "1,1,2", "NaN,1,2", 1),
		"Inf":                 strings.Replace(proteinText, "1,1,2", "1,+Inf,2", 1),
		"beyond float64":      strings.Replace(proteinText, "1,1,2", "1,1e999,2", 1),
		"near its end":        strings.Replace(proteinText, "1,1,2", "1,1e308,2", 1),
		"an empty field":      strings.Replace(proteinText, "1,1,2", "1,,2", 1),
		"a word":              strings.Replace(proteinText, "1,1,2", "1,one,2", 1),
		"a field too many":    strings.Replace(proteinText, "1,1,2", "1,1,1,2", 1),
		"semicolons":          strings.ReplaceAll(proteinText, ",", ";"),
		"tabs":                strings.ReplaceAll(proteinText, ",", "\t"),
		"decimal commas":      strings.Replace(proteinText, "1,1,2", "1,1,5,2", 1),
		"an open quote":       strings.Replace(proteinText, "1,1,2", "\"1,1,2", 1),
		"no target":           strings.Replace(proteinText, "RMSD", "other", 1),
		"a column too few":    "RMSD,F1\n1,2\n2,3\n",
		"zeros":               string(make([]byte, 200)),
		"UTF-16":              "\xff\xfeR\x00M\x00S\x00D\x00\n\x001\x00\n\x00",
		"a page":              "<html>\n<body>\n</body>\n</html>\n",
		"a line without end":  strings.Repeat("1,", 100000),
		"many fields":         proteinText + strings.Repeat("1,", 100000) + "1\n",
		"too many bytes":      proteinText + strings.Repeat(proteinText[strings.Index(proteinText, "\n")+1:], 800000),
		"a very long number":  strings.Replace(proteinText, "1,1,2", "1,"+strings.Repeat("9", 100000)+",2", 1),
		"a hexadecimal digit": strings.Replace(proteinText, "1,1,2", "1,0xZ,2", 1),
	} {
		all = append(all, badFile{"Protein", casp, []byte(text), why})
	}
	return all
}

// badArchives stand alone, the files they are to hold being away.
func badArchives(t *testing.T) []badFile {
	good := tarred(t, "train.bin", "x", "test.bin", "y")
	all := cuts("CIFAR100", "cifar-100-binary.tar.gz", good, 30)
	length := make([]byte, 8)
	binary.LittleEndian.PutUint64(length, 1<<40)
	return append(all,
		badFile{"CIFAR100", "cifar-100-binary.tar.gz", good, "records of one byte"},
		badFile{"CIFAR100", "cifar-100-binary.tar.gz", tarred(t, "train.bin", "x"), "a file missing"},
		badFile{"CIFAR100", "cifar-100-binary.tar.gz", gzipped(t, string(length)), "no tar"})
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

// TestBadFiles has every format damaged: an error names the file, which stays as
// it is.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	rows := slices.Concat(badIDX(t), badMAT(), badRecords(t), badTables(t), badArchives(t))
	if len(rows) < 200 {
		t.Errorf("only %d rows", len(rows))
	}
	sets := loaders()
	dir := t.TempDir()
	for _, b := range rows {
		l := sets[b.set]
		folder, err := os.MkdirTemp(dir, b.set)
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range l.files {
			// A file under another name, or an archive, takes the place of this one.
			if !strings.HasPrefix(b.name, name) && filepath.Ext(b.name) != ".zip" && !strings.HasSuffix(b.name, ".tar.gz") {
				writeFile(t, filepath.Join(folder, name), content)
			}
		}
		path := filepath.Join(folder, b.name)
		writeFile(t, path, b.content)
		err = careful(func() error { return l.load(t.Context(), tensor.Float32, ownImages(folder, dir)...) })
		if err == nil || !strings.Contains(err.Error(), b.name) || strings.HasPrefix(err.Error(), "panic") {
			t.Errorf("%s, %s: %s: got %v", b.set, b.name, b.why, err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, b.content) {
			t.Errorf("%s, %s: %s: the file was changed (%v)", b.set, b.name, b.why, err)
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
	}
}

// careful turns a panic into an error that no test wants.
func careful(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v %s", r, bytes.ReplaceAll(debug.Stack(), []byte("-"), nil))
		}
	}()
	return f()
}

// TestGoodFiles makes sure that the files that are damaged above are good.
func TestGoodFiles(t *testing.T) {
	for name, l := range loaders() {
		dir := t.TempDir()
		for file, content := range l.files {
			writeFile(t, filepath.Join(dir, file), content)
		}
		if err := l.load(t.Context(), tensor.Float64, ownImages(dir, t.TempDir())...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBadArguments has element types that are none, no context, and files of
// which a loader would wait for or read without end.
func TestBadArguments(t *testing.T) {
	for name, l := range loaders() {
		dir := t.TempDir()
		for file, content := range l.files {
			writeFile(t, filepath.Join(dir, file), content)
		}
		opts := ownImages(dir, t.TempDir())
		for _, dtype := range []tensor.Dtype{tensor.Int, tensor.Bool, tensor.String, tensor.Complex64, {}} {
			errortest.Want(t, careful(func() error { return l.load(t.Context(), dtype, opts...) }), "dtype")
		}
		var none context.Context
		errortest.Want(t, careful(func() error { return l.load(none, tensor.Float32, opts...) }), "nil context")
		for _, target := range []string{os.DevNull, dir} {
			file := slices.Min(slices.Collect(maps.Keys(l.files)))
			path := filepath.Join(dir, file)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, path); err != nil {
				t.Skip("no symbolic links: ", err)
			}
			t.Run(name, func(t *testing.T) {
				errortest.Want(t, careful(func() error { return l.load(t.Context(), tensor.Float32, opts...) }), path, "regular file")
			})
		}
	}
}
