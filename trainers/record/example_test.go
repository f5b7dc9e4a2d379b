package record_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apo-gorgonia/apo/trainers/record"
)

func ExampleNewJSONL() {
	log := record.Every(10, record.NewJSONL(os.Stdout))
	for step := range 20 {
		err := log.Record(record.Stats{
			Step: step, Loss: 1 / float64(step+1), Rates: []float64{0.1}, BaseTime: 20 * time.Millisecond,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	// Output:
	// {"step":0,"loss":1,"rates":[0.1],"base_seconds":0.02,"meta_seconds":0}
	// {"step":10,"loss":0.09090909090909091,"rates":[0.1],"base_seconds":0.02,"meta_seconds":0}
}

func ExampleHistory() {
	var h record.History
	for step := range 3 {
		if err := h.Record(record.Stats{Step: step, Loss: float64(10 - step)}); err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, s := range h.Steps {
		fmt.Println(s.Step, s.Loss)
	}
	// Output:
	// 0 10
	// 1 9
	// 2 8
}

// Q = Loss + λ_FSD·FSD + λ_WSD·WSD of a meta-step, put together from its terms.
func ExampleMetaStats() {
	m := record.MetaStats{Loss: 0.5, FSD: 0.25, LambdaFSD: 2, WSD: 1, LambdaWSD: 0.5}
	fmt.Println(m.Loss + m.LambdaFSD*m.FSD + m.LambdaWSD*m.WSD)
	// Output: 1.5
}

// A run was stopped two steps behind its checkpoint of step 3. Both logs are cut back to
// there, and go on.
func ExampleOpenJSONL() {
	folder, err := os.MkdirTemp("", "logs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	for _, first := range []int{0, 3} {
		log, lines, err := record.OpenJSONL(filepath.Join(folder, "steps.jsonl"), first)
		if err != nil {
			fmt.Println(err)
			return
		}
		table, rows, err := record.OpenCSV(filepath.Join(folder, "steps.csv"), first)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(lines, "lines and", rows, "rows stay")
		both := record.Multi(log, table)
		for step := first; step < first+5; step++ {
			if err := both.Record(record.Stats{Step: step, Loss: 1, Rates: []float64{0.1}}); err != nil {
				fmt.Println(err)
			}
		}
		for _, err := range []error{log.Close(), table.Close()} {
			if err != nil {
				fmt.Println(err)
			}
		}
	}
	// Output:
	// 0 lines and 0 rows stay
	// 3 lines and 3 rows stay
}

// The first columns of a table.
func ExampleNewCSV() {
	var text strings.Builder
	table := record.NewCSV(&text)
	for step := range 2 {
		if err := table.Record(record.Stats{Step: step, Loss: 1 / float64(step+1), Rates: []float64{0.1}}); err != nil {
			fmt.Println(err)
		}
	}
	for line := range strings.Lines(text.String()) {
		fmt.Println(strings.Split(line, ",")[:3])
	}
	// Output:
	// [step loss rate_0]
	// [0 1 0.1]
	// [1 0.5 0.1]
}
