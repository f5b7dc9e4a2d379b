package datasets_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/apo-gorgonia/apo/trainers/datasets"
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
