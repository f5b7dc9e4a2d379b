package datasets_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/datasets"
	"github.com/apo-gorgonia/apo/trainers/text"
	"gorgonia.org/tensor"
)

func ExampleDigits() {
	train, test, err := datasets.Digits(tensor.Float32)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(train.X.Shape(), train.T.Shape())
	fmt.Println(test.X.Shape(), test.T.Shape())
	// Output:
	// (1437, 64) (1437)
	// (360, 64) (360)
}

// Any two files are a text in two languages.
func ExampleParallel() {
	dir, err := os.MkdirTemp("", "parallel")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	de, en := filepath.Join(dir, "small.de"), filepath.Join(dir, "small.en")
	for path, content := range map[string]string{de: "ein hund\nzwei\n", en: "a dog\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			fmt.Println(err)
			return
		}
	}
	_, err = datasets.Parallel(de, en)
	fmt.Println(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""))
	// Output:
	// datasets: text: small.de and small.en: small.de has 2 lines, small.en has 1: small.de:2 has no counterpart
}

// The loaders look for the published files on disk and download what is missing.
func ExampleMNIST() {
	ctx := context.Background()
	progress := func(name string, done, total int64) { fmt.Printf("%s: %d of %d bytes\n", name, done, total) }
	for _, load := range []func(context.Context, tensor.Dtype, ...datasets.Option) (train, test batch.Data, err error){
		datasets.MNIST, datasets.FashionMNIST,
	} {
		train, test, err := load(ctx, tensor.Float32, datasets.WithCacheDir("data"), datasets.WithProgress(progress),
			datasets.WithHTTPClient(&http.Client{Timeout: time.Hour}))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(train.X.Shape(), test.X.Shape()) // (60000, 784) (10000, 784)
	}
}

// Colour images, 3×32×32. They stay bytes until a mini-batch is made of them.
func ExampleCIFAR10() {
	ctx := context.Background()
	train, _, err := datasets.CIFAR10(ctx, tensor.Float32)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(train.Len()) // 50000
	coarse, _, err := datasets.CIFAR100(ctx, tensor.Float32, datasets.WithCoarseLabels())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(coarse.Len()) // 50000
	digits, _, err := datasets.SVHN(ctx, tensor.Float32)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(digits.Len()) // 73257
}

// Regression on tables of the UCI repository. A data folder without the file is an error,
// where the loader may not download it.
func ExampleProtein() {
	dir, err := os.MkdirTemp("", "data")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, load := range []func(context.Context, tensor.Dtype, ...datasets.Option) (batch.Data, error){
		datasets.Protein, datasets.Parkinsons, datasets.Slice,
	} {
		_, err := load(context.Background(), tensor.Float64, datasets.WithDir(dir), datasets.WithCacheDir(dir), datasets.WithoutDownload())
		fmt.Println(errors.Is(err, datasets.ErrNotFound))
	}
	// Output:
	// true
	// true
	// true
}

// Texts of German and English. Pairs with a sentence of more than 100 tokens are left out.
func ExampleMulti30k() {
	limits := datasets.WithLimits(text.Limits{MaxTokens: 100, LeaveOut: true})
	for _, load := range []func(context.Context, ...datasets.Option) (datasets.Translation, error){datasets.Multi30k, datasets.IWSLT14} {
		pairs, err := load(context.Background(), limits)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(pairs)
	}
}

// Images for a try without files, cropped and mirrored at random.
func ExampleSynthetic() {
	train, test, err := datasets.Synthetic(1, tensor.Float32, 10, 200, 100)
	if err != nil {
		fmt.Println(err)
		return
	}
	batches, err := batch.New(train.Augmented(datasets.CropFlip), 50, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(train.Len(), test.Len(), batches.At(0).X[0].Shape())
	// Output: 200 100 (50, 3, 32, 32)
}

// An image set of one's own in the files of MNIST: 2 images of 2×2.
func ExampleDecodeIDX() {
	images, err := datasets.DecodeIDX([]byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 10, 20, 30, 40, 50, 60, 70, 80})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(images.Shape, images.Data)
	// Output: [2 2 2] [10 20 30 40 50 60 70 80]
}

// A table of numbers with names of its columns.
func ExampleDecodeCSV() {
	table, err := datasets.DecodeCSV(strings.NewReader("age, dose\n31, 0.5\n47, 1\n"), true)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(table.Names, table.Rows, table.Cols, table.Values)
	_, err = datasets.DecodeCSV(strings.NewReader("31, 0.5\n47\n"), false)
	fmt.Println(err)
	// Output:
	// [age dose] 2 2 [31 0.5 47 1]
	// csv: line 2 has 1 fields, the first has 2
}

// Codes of a byte-pair encoding from a file, which may be gzipped.
func ExampleTextFile() {
	dir, err := os.MkdirTemp("", "codes")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "codes.bpe")
	if err := os.WriteFile(path, []byte("#version: 0.2\nl o\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	content, err := datasets.TextFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	codes, err := text.ParseCodes(path, content)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(codes.Merges)
	// Output: [{l o}]
}

// A set of one's own in the files of MNIST, here of one image each.
func ExampleWithoutChecksum() {
	dir, err := os.MkdirTemp("", "own")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	images := append([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28}, make([]byte, 28*28)...)
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 1, 7}
	for name, content := range map[string][]byte{
		"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels,
		"t10k-images-idx3-ubyte": images, "t10k-labels-idx1-ubyte": labels,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			fmt.Println(err)
			return
		}
	}
	train, _, err := datasets.MNIST(context.Background(), tensor.Float32, datasets.WithDir(dir), datasets.WithoutChecksum())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(train.X.Shape(), train.T.Data())
	// Output: (1, 784) [7]
}
