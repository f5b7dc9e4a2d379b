package record_test

import (
	"fmt"
	"os"
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
