package datasets

import (
	"bytes"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

// cifarRecords makes records with the labels of a header, and random pixels.
func cifarRecords(seed uint64, labels ...[]byte) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	var content []byte
	for _, header := range labels {
		content = append(content, header...)
		for range imageBytes {
			content = append(content, byte(rng.IntN(256)))
		}
	}
	return content
}

// cifarFiles are the contents of a small set in CIFAR-10's format: training
// file k has k images, the test file two.
func cifarFiles() map[string][]byte {
	files := make(map[string][]byte)
	for k, f := range cifar10.archive.files {
		n := k + 1
		if f.name == "test_batch.bin" {
			n = 2
		}
		files[f.name] = cifarRecords(uint64(k), [][]byte{{byte(k)}, {9}, {8}, {7}, {6}}[:n]...)
	}
	return files
}

func writeCIFAR(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := cifarFiles()
	for name, content := range files {
		if name == "data_batch_2.bin" {
			writeFile(t, filepath.Join(dir, name+".gz"), gzipped(t, string(content)))
			continue
		}
		writeFile(t, filepath.Join(dir, name), content)
	}
	return files
}

func TestCIFAR10(t *testing.T) {
	dir := t.TempDir()
	files := writeCIFAR(t, filepath.Join(dir, "cifar-10-batches-bin"))
	for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		train, test, err := CIFAR10(t.Context(), dtype, ownImages(dir, t.TempDir())...)
		if err != nil {
			t.Fatal(err)
		}
		if train.Len() != 15 || test.Len() != 2 || train.Classes() != 10 || test.Classes() != 10 {
			t.Fatalf("%d and %d images", train.Len(), test.Len())
		}
		if want := []int{0, 1, 9, 2, 9, 8, 3, 9, 8, 7, 4, 9, 8, 7, 6}; !slices.Equal(train.Labels(), want) {
			t.Errorf("labels %v, want %v", train.Labels(), want)
		}
		second := files["data_batch_2.bin"][1+imageBytes:] // image 2 of the set
		if !bytes.Equal(train.Pixels(2), second[1:1+imageBytes]) {
			t.Error("image 2 is not the second of data_batch_2.bin")
		}
		checkNormalised(t, train, train)
		checkNormalised(t, train, test)
		if first := train.First(3); first.Len() != 3 || first.norm != train.norm || !slices.Equal(first.Labels(), []int{0, 1, 9}) {
			t.Errorf("the first three are %v", first.Labels())
		}
	}
}

// checkNormalised compares every number of a set with a computation of its own.
func checkNormalised(t *testing.T, train, set *ColorImages) {
	t.Helper()
	var mean, std [channels]float64
	for c := range channels {
		var sum, squares float64
		n := float64(train.Len() * plane)
		for i := range train.Len() {
			for _, b := range train.Pixels(i)[c*plane : (c+1)*plane] {
				sum += float64(b)
				squares += float64(b) * float64(b)
			}
		}
		mean[c] = sum / n
		std[c] = math.Sqrt(squares/n - mean[c]*mean[c])
	}
	gotMean, gotStd := train.Normalisation()
	data := set.Data()
	if err := data.Check(); err != nil || !data.X.Shape().Eq(tensor.Shape{set.Len(), 3, 32, 32}) {
		t.Fatalf("shape %v, %v", data.X.Shape(), err)
	}
	if !slices.Equal(data.T.Ints(), set.Labels()) {
		t.Errorf("targets %v, want %v", data.T, set.Labels())
	}
	for c := range channels {
		if math.Abs(gotMean[c]-mean[c]) > 1e-9 || math.Abs(gotStd[c]-std[c]) > 1e-9 {
			t.Errorf("channel %d has mean %v, std %v, want %v, %v", c, gotMean[c], gotStd[c], mean[c], std[c])
		}
		for i := range set.Len() {
			for j := range plane {
				at := i*imageBytes + c*plane + j
				want := (float64(set.Pixels(i)[c*plane+j]) - mean[c]) / std[c]
				if got := element(data.X, at); math.Abs(got-want) > 1e-6 {
					t.Fatalf("image %d, channel %d, pixel %d is %v, want %v", i, c, j, got, want)
				}
			}
		}
	}
}

func element(x *tensor.Dense, at int) float64 {
	if x.Dtype() == tensor.Float32 {
		return float64(x.Float32s()[at])
	}
	return x.Float64s()[at]
}

func TestCIFAR100Labels(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "train.bin"), cifarRecords(1, []byte{19, 99}, []byte{3, 0}))
	writeFile(t, filepath.Join(dir, "test.bin.gz"), gzipped(t, string(cifarRecords(2, []byte{0, 42}))))
	opts := ownImages(dir, t.TempDir())
	train, test, err := CIFAR100(t.Context(), tensor.Float32, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if train.Classes() != 100 || !slices.Equal(train.Labels(), []int{99, 0}) || !slices.Equal(test.Labels(), []int{42}) {
		t.Errorf("fine labels %v and %v", train.Labels(), test.Labels())
	}
	checkNormalised(t, train, test)
	coarse, test, err := CIFAR100(t.Context(), tensor.Float32, append(opts, WithCoarseLabels())...)
	if err != nil {
		t.Fatal(err)
	}
	if coarse.Classes() != 20 || !slices.Equal(coarse.Labels(), []int{19, 3}) || !slices.Equal(test.Labels(), []int{0}) {
		t.Errorf("coarse labels %v and %v", coarse.Labels(), test.Labels())
	}
	if !bytes.Equal(coarse.pixels, train.pixels) {
		t.Error("the images depend on the labels asked for")
	}
	// A fine class is checked even where the coarse one is asked for.
	writeFile(t, filepath.Join(dir, "train.bin"), cifarRecords(1, []byte{19, 99}, []byte{3, 100}))
	_, _, err = CIFAR100(t.Context(), tensor.Float32, append(opts, WithCoarseLabels())...)
	errortest.Want(t, err, "train.bin", "fine class of image 1 is 100, want 0 to 99")
}

func TestCIFARErrors(t *testing.T) {
	for _, test := range []struct {
		test, name string
		content    []byte
		want       string
	}{
		{"truncated", "data_batch_3.bin", cifarRecords(1, []byte{1})[:3072], "3072 bytes are not whole records of 3073"},
		{"empty", "test_batch.bin", nil, "0 bytes are not whole records"},
		{"other class", "data_batch_5.bin", cifarRecords(1, []byte{1}, []byte{10}), "class of image 1 is 10, want 0 to 9"},
	} {
		t.Run(test.test, func(t *testing.T) {
			dir := t.TempDir()
			writeCIFAR(t, dir)
			writeFile(t, filepath.Join(dir, test.name), test.content)
			_, _, err := CIFAR10(t.Context(), tensor.Float32, ownImages(dir, t.TempDir())...)
			errortest.Want(t, err, filepath.Join(dir, test.name), test.want)
		})
	}
	dir := t.TempDir()
	writeCIFAR(t, dir)
	_, _, err := CIFAR10(t.Context(), tensor.Float32, WithDir(dir), WithCacheDir(t.TempDir()), WithoutDownload())
	errortest.Want(t, err, "data_batch_1.bin", "3073 bytes of content, want 30730000")
	_, _, err = CIFAR10(t.Context(), tensor.Int, ownImages(dir, t.TempDir())...)
	errortest.Want(t, err, "dtype int")
	if err := (*ColorImages)(nil).Check(); err == nil {
		t.Error("no images are accepted")
	}
}

// TestPublishedCIFAR10 compares with numbers of an independent computation.
func TestPublishedCIFAR10(t *testing.T) {
	t.Parallel()
	dataFolder(t)
	if testing.Short() {
		t.Skip("reads 60000 images")
	}
	parts := published(t, func() ([2]*ColorImages, error) {
		train, test, err := CIFAR10(t.Context(), tensor.Float32, WithoutDownload())
		return [2]*ColorImages{train, test}, err
	})
	for i, n := range []int{5000, 1000} {
		counts := make([]int, 10)
		for _, label := range parts[i].Labels() {
			counts[label]++
		}
		if !slices.Equal(counts, slices.Repeat([]int{n}, 10)) {
			t.Errorf("classes %v, want %d of each", counts, n)
		}
	}
	mean, std := parts[0].Normalisation()
	for c, want := range [][2]float64{{125.30692, 62.99322}, {122.95039, 62.08871}, {113.86538, 66.70490}} {
		if math.Abs(mean[c]-want[0]) > 5e-6 || math.Abs(std[c]-want[1]) > 5e-6 {
			t.Errorf("channel %d has mean %.6f, std %.6f, want %v", c, mean[c], std[c], want)
		}
	}
	// The training set's numbers have mean 0 and variance 1.
	b := parts[0].NewBatch(10000)
	rows := make([]int, b.Len())
	for i := range rows {
		rows[i] = 5 * i
	}
	parts[0].Fill(b, rows, batch.Draw{})
	var sum, squares float64
	for _, v := range b.X[0].Float32s() {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(rows) * imageBytes)
	if m, s := sum/n, squares/n; math.Abs(m) > 0.02 || math.Abs(s-1) > 0.02 {
		t.Errorf("every fifth image has mean %v and mean square %v", m, s)
	}
	if got := parts[0].Labels()[:10]; !slices.Equal(got, []int{6, 9, 9, 4, 1, 1, 2, 7, 8, 3}) {
		t.Errorf("first labels %v", got)
	}
}

// The set comes from the folder that APO_DATA names, in whatever form it has there.
func BenchmarkCIFAR10(b *testing.B) {
	for b.Loop() {
		if _, _, err := CIFAR10(b.Context(), tensor.Float32, WithoutDownload()); err != nil {
			b.Skip(err)
		}
	}
}
