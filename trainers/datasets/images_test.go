package datasets

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
	"gorgonia.org/tensor"
)

// writeImages writes a set of two training examples and one test example.
func writeImages(t *testing.T, dir string) {
	t.Helper()
	pixels := make([]byte, 2*784)
	pixels[0], pixels[784+783] = 255, 51
	writeFile(t, filepath.Join(dir, "train-images-idx3-ubyte"), idxBytes([]uint32{2, 28, 28}, pixels))
	writeFile(t, filepath.Join(dir, "train-labels-idx1-ubyte.gz"), gzipped(t, string(idxBytes([]uint32{2}, []byte{9, 0}))))
	writeFile(t, filepath.Join(dir, "t10k-images-idx3-ubyte.gz"), gzipped(t, string(idxBytes([]uint32{1, 28, 28}, pixels[:784]))))
	writeFile(t, filepath.Join(dir, "t10k-labels-idx1-ubyte"), idxBytes([]uint32{1}, []byte{3}))
}

func ownImages(dir, cache string) []Option {
	return []Option{WithDir(dir), WithCacheDir(cache), WithoutDownload(), WithoutChecksum()}
}

func TestOwnImages(t *testing.T) {
	dir := t.TempDir()
	writeImages(t, filepath.Join(dir, "mnist"))
	train, test, err := MNIST(t.Context(), tensor.Float64, ownImages(dir, t.TempDir())...)
	if err != nil {
		t.Fatal(err)
	}
	if !train.X.Shape().Eq(tensor.Shape{2, 784}) || !test.X.Shape().Eq(tensor.Shape{1, 784}) {
		t.Fatalf("shapes %v and %v", train.X.Shape(), test.X.Shape())
	}
	x := train.X.Data().([]float64)
	if x[0] != 1 || x[1] != 0 || x[784+783] != 0.2 {
		t.Errorf("pixels %v %v %v, want 1 0 0.2", x[0], x[1], x[784+783])
	}
	if !slices.Equal(train.T.Data().([]int), []int{9, 0}) || test.T.Shape()[0] != 1 || test.T.Dtype() != tensor.Int {
		t.Errorf("labels %v and %v", train.T, test.T)
	}

	// The same files are not the published ones.
	_, _, err = MNIST(t.Context(), tensor.Float64, WithDir(dir), WithCacheDir(t.TempDir()), WithoutDownload())
	errortest.Want(t, err, filepath.Join(dir, "mnist", "train-images-idx3-ubyte"), "1584 bytes of content, want 47040016")

	fashion := t.TempDir()
	writeImages(t, filepath.Join(fashion, "fashion-mnist"))
	if _, _, err = FashionMNIST(t.Context(), tensor.Float32, ownImages(fashion, t.TempDir())...); err != nil {
		t.Error(err)
	}
}

// TestDottedNames has the names with a dot before idx, packed or not.
func TestDottedNames(t *testing.T) {
	dir := t.TempDir()
	writeImages(t, dir)
	for from, to := range map[string]string{
		"train-images-idx3-ubyte":    "train-images.idx3-ubyte",
		"train-labels-idx1-ubyte.gz": "train-labels.idx1-ubyte.gz",
		"t10k-images-idx3-ubyte.gz":  "t10k-images.idx3-ubyte.gz",
		"t10k-labels-idx1-ubyte":     "t10k-labels.idx1-ubyte",
	} {
		if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	for _, load := range []func(context.Context, tensor.Dtype, ...Option) (train, test batch.Data, err error){MNIST, FashionMNIST} {
		train, _, err := load(t.Context(), tensor.Float32, ownImages(dir, t.TempDir())...)
		if err != nil || train.X.Shape()[0] != 2 {
			t.Errorf("%v", err)
		}
	}
}

func TestOwnImagesErrors(t *testing.T) {
	pixels := make([]byte, 2*784)
	tests := []struct {
		test, name string
		content    []byte
		want       string
	}{
		{"wrong magic", "train-images-idx3-ubyte", append([]byte{0, 0, 9, 3}, make([]byte, 20)...), "magic number"},
		{"truncated", "train-images-idx3-ubyte", idxBytes([]uint32{2, 28, 28}, pixels[1:]), "needs 1568 elements, file holds 1567"},
		{"wrong size", "train-images-idx3-ubyte", idxBytes([]uint32{2, 28, 14}, pixels[:784]), "shape [2 28 14]"},
		{"images that are labels", "train-images-idx3-ubyte", idxBytes([]uint32{2}, []byte{1, 2}), "images have shape [2]"},
		{"labels that are images", "t10k-labels-idx1-ubyte", idxBytes([]uint32{2, 28, 28}, pixels), "labels have shape [2 28 28]"},
		{"one label too many", "t10k-labels-idx1-ubyte", idxBytes([]uint32{2}, []byte{1, 2}), "1 images but 2 labels"},
		{"class out of range", "t10k-labels-idx1-ubyte", idxBytes([]uint32{1}, []byte{10}), "label 0 is 10, want 0 to 9"},
	}
	for _, test := range tests {
		t.Run(test.test, func(t *testing.T) {
			dir := t.TempDir()
			writeImages(t, dir)
			writeFile(t, filepath.Join(dir, test.name), test.content)
			_, _, err := MNIST(t.Context(), tensor.Float32, ownImages(dir, t.TempDir())...)
			errortest.Want(t, err, test.name, test.want)
		})
	}
}

func TestLabelsRefuseFractions(t *testing.T) {
	for _, v := range []float64{0.5, -1, 10, 1e300} {
		if _, err := labels([]float64{v}, 10); err == nil {
			t.Errorf("label %v is accepted", v)
		}
	}
}

// dataFolder is the folder with the published files, or the test is skipped.
func dataFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv(dirVariable)
	if dir == "" {
		t.Skipf("set %s to a folder with the published files", dirVariable)
	}
	return dir
}

// published runs a loader on the files on disk and skips if there are none.
func published[D any](t *testing.T, load func() (D, error)) D {
	t.Helper()
	d, err := load()
	if errors.Is(err, ErrNotFound) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mean(d batch.Data) float64 {
	sum, x := 0.0, d.X.Data().([]float32)
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}

func checkPublishedImages(t *testing.T, train, test batch.Data, trainMean float64, trainCounts, testCounts []int) {
	t.Helper()
	if !train.X.Shape().Eq(tensor.Shape{60000, 784}) || !test.X.Shape().Eq(tensor.Shape{10000, 784}) {
		t.Fatalf("shapes %v and %v", train.X.Shape(), test.X.Shape())
	}
	if m := mean(train); m < trainMean-0.00005 || m > trainMean+0.00005 {
		t.Errorf("mean pixel %.6f, want %.4f", m, trainMean)
	}
	if got := histogram(train); !slices.Equal(got, trainCounts) {
		t.Errorf("training classes %v, want %v", got, trainCounts)
	}
	if got := histogram(test); !slices.Equal(got, testCounts) {
		t.Errorf("test classes %v, want %v", got, testCounts)
	}
}

func TestPublishedMNIST(t *testing.T) {
	t.Parallel()
	dataFolder(t)
	parts := published(t, func() ([2]batch.Data, error) {
		train, test, err := MNIST(t.Context(), tensor.Float32, WithoutDownload())
		return [2]batch.Data{train, test}, err
	})
	checkPublishedImages(t, parts[0], parts[1], 0.1307,
		[]int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
		[]int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009})
	if got := parts[0].T.Data().([]int)[:10]; !slices.Equal(got, []int{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}) {
		t.Errorf("first labels %v", got)
	}
}

func TestPublishedFashionMNIST(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 60000 images")
	}
	parts := published(t, func() ([2]batch.Data, error) {
		train, test, err := FashionMNIST(t.Context(), tensor.Float32, WithoutDownload())
		return [2]batch.Data{train, test}, err
	})
	equal := func(n int) []int { return slices.Repeat([]int{n}, 10) }
	checkPublishedImages(t, parts[0], parts[1], 0.2860, equal(6000), equal(1000))
}

func TestFlippedPublishedByte(t *testing.T) {
	source := filepath.Join(dataFolder(t), "mnist", "t10k-labels-idx1-ubyte.gz")
	raw, err := os.ReadFile(source)
	if err != nil {
		t.Skip(err)
	}
	f := mnist.test.labels
	content, err := f.open(raw, true, f.limit(true))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(content)
	flipped[5000] ^= 1
	_, err = f.open(flipped, true, f.limit(true))
	errortest.Want(t, err, "want "+f.sum)
	_, err = f.open(content[:5000], true, f.limit(true))
	errortest.Want(t, err, "5000 bytes of content, want 10008")
	_, err = f.open(raw[:4000], true, f.limit(true))
	errortest.Want(t, err, "gzip: truncated after")
}
