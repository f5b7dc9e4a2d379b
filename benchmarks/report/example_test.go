package report

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// The command writes a report of a results folder. Each claim has a verdict.
func ExampleCommand() {
	dir, err := os.MkdirTemp("", "report")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "RESULTS.md")
	results := filepath.Join("..", "testdata", "records")
	if code := Command(context.Background(), []string{"-o", path, results}, new(strings.Builder), os.Stdout); code != 0 {
		return
	}
	text, err := os.ReadFile(filepath.Join(dir, "results-pages", "claims.md"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| [fig4-mnist-lr, smoke](fig4-mnist-lr.md) | goal") {
			fmt.Print(line)
		}
	}
	// Output:
	// | [fig4-mnist-lr, smoke](fig4-mnist-lr.md) | goal: Base-APO's final training loss is at most that of the best fixed rate [SGDm-APO (plain), from low] | **does not hold** | final training loss, median 2.02, SGDm 0.315 |
}

// Statistics of a method are medians over its seeds.
func Example_statistics() {
	run := func(losses ...suite.Number) *suite.Run {
		r := &suite.Run{Done: &suite.Done{Done: true}}
		for i, l := range losses {
			r.Evaluations = append(r.Evaluations, suite.Evaluation{Step: 10 * i, Seconds: float64(i), TrainLoss: l})
		}
		return r
	}
	r := &series{runs: []*suite.Run{run(1, 0.1, 0.03), run(1, 0.1, 0.02), run(1, 0.1, 0.01)}}
	fmt.Println("final loss:", r.final().text())
	fmt.Println("loss at step 15:", r.loss(15))
	fmt.Printf("seconds to a loss of 0.02: %.2f\n", r.timeTo(0.02))
	// Output:
	// final loss: 0.02 (0.01 … 0.03)
	// loss at step 15: 0.1
	// seconds to a loss of 0.02: 2.00
}
