package apoops

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/python"
)

// torchTokens reads table, tokens, weights of the rows, logits, targets and smoothings. It
// prints, for each smoothing, the rows, their gradient by the table, the loss and its gradient
// by the logits.
const torchTokens = `
import json, sys, torch, torch.nn.functional as F
c = json.load(sys.stdin)
f = lambda k, *s: torch.tensor(c[k], dtype=torch.float64).reshape(s).requires_grad_()
flat = lambda t: t.detach().reshape(-1).tolist()
results = []
for smoothing in c["Smoothings"]:
    table, y, w = f("Table", 6, 3), f("Logits", 8, 6), f("Weights", 8, 3)
    rows = F.embedding(torch.tensor(c["Tokens"]), table, padding_idx=0) * 1.5
    rows = rows * (torch.tensor(c["Tokens"]) != 0)[:, None]
    (rows * w).sum().backward()
    loss = F.cross_entropy(y, torch.tensor(c["Targets"]), ignore_index=0, label_smoothing=smoothing)
    loss.backward()
    results.append(dict(Rows=flat(rows), DTable=flat(table.grad), Loss=flat(loss), DLogits=flat(y.grad)))
print(json.dumps(results))
`

// TestTokensEqualTorch compares embeddings and the loss of tokens with the PyTorch of
// this machine.
func TestTokensEqualTorch(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("skipped: no python3 with PyTorch on this machine")
	}
	rng := rand.New(rand.NewPCG(143, 1))
	table, logits, weights := randn(rng, 6, 3), randn(rng, 8, 6), randn(rng, 8, 3)
	tokens, targets := []int{3, 1, 3, 0, 4, 3, 0, 0}, []int{1, 3, 5, 0, 2, 1, 0, 0}
	smoothings := []float64{0, 0.1}
	in, err := json.Marshal(map[string]any{
		"Table": table.Float64s(), "Logits": logits.Float64s(), "Weights": weights.Float64s(),
		"Tokens": tokens, "Targets": targets, "Smoothings": smoothings,
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", torchTokens)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []struct{ Rows, DTable, Loss, DLogits []float64 }
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(smoothings) {
		t.Fatalf("%d results for %d smoothings", len(all), len(smoothings))
	}
	for i, smoothing := range smoothings {
		want := all[i]
		embed := opTest{build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Embed(in[0], in[1], 1.5, 0) }, wrt: []int{0}}
		loss := opTest{build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
			return TokenCrossEntropy(in[0], in[1], TokenSettings{Smoothing: smoothing})
		}, wrt: []int{0}}
		for dt, tol := range map[tensor.Dtype]float64{tensor.Float64: 1e-12, tensor.Float32: 2e-5} {
			name := fmt.Sprintf("smoothing %v, %v: ", smoothing, dt)
			y, d := embed.evaluate(t, []*tensor.Dense{table, ints(tokens...)}, dt, weights, true)
			compare(t, name+"rows", y, want.Rows, tol)
			compare(t, name+"gradient by the table", d[0], want.DTable, tol)
			y, d = loss.evaluate(t, []*tensor.Dense{logits, ints(targets...)}, dt, nil, true)
			compare(t, name+"loss", y, want.Loss, tol)
			compare(t, name+"gradient by the logits", d[0], want.DLogits, tol)
		}
	}
}
