package record_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/trainers/record"
)

// Q = Loss + λ_FSD·FSD + λ_WSD·WSD of a meta-step, put together from its terms.
func ExampleMetaStats() {
	m := record.MetaStats{Loss: 0.5, FSD: 0.25, LambdaFSD: 2, WSD: 1, LambdaWSD: 0.5}
	fmt.Println(m.Loss + m.LambdaFSD*m.FSD + m.LambdaWSD*m.WSD)
	// Output: 1.5
}
