package scaling

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/pkg/errors"
)

// counts are the numbers of processes of the predictions.
var counts = []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}

// growth is how a batch depends on the number of processes.
type growth struct {
	name  string
	batch func(n net, processes int) int
}

var growths = []growth{
	{"fixed", func(n net, _ int) int { return n.batches[len(n.batches)-1] }},
	{"growing", func(n net, processes int) int { return n.perProcess() * processes }},
}

// speedup is how many times as fast as one process so many have gone through examples.
func (w netWork) speedup(g growth, processes int, network Network) float64 {
	one, all := g.batch(w.net, 1), g.batch(w.net, processes)
	return w.Predict(one, 1, network).Total() / w.Predict(all, processes, network).Total() * float64(all) / float64(one)
}

// writeCSV writes all predictions.
func (r *results) writeCSV(to io.Writer) error {
	out := csv.NewWriter(to)
	out.Write([]string{"net", "rule", "network", "latency_s", "bandwidth_bytes_per_s", "batch_is", "batch", "processes",
		"compute_s", "second_order_s", "transfer_s", "step_s", "speedup", "efficiency"})
	for _, w := range r.Works {
		for _, network := range r.networks {
			for _, g := range growths {
				for _, n := range counts {
					batch := g.batch(w.net, n)
					s, speedup := w.Predict(batch, n, network), w.speedup(g, n, network)
					out.Write([]string{w.Net, w.Rule, network.Name, number(network.Latency), number(network.Bandwidth), g.name,
						strconv.Itoa(batch), strconv.Itoa(n), number(s.Compute), number(s.SecondOrder), number(s.Transfer), number(s.Total()),
						number(speedup), number(speedup / float64(n))})
				}
			}
		}
	}
	out.Flush()
	return errors.Wrap(out.Error(), "writing predictions")
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
