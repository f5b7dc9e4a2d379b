package graph

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"

	"gorgonia.org/gorgonia"
)

// Describer is implemented by models, and by Problem, that can describe what they
// compute, a line for each layer or operation: activations, strides and whatever
// else the shapes of the parameters do not show. A checkpoint keeps it, so that
// one of another model is refused. It must be the same in every process.
type Describer interface{ Describe() []string }

var _ Describer = (*Problem)(nil)

// describedOps and describedText limit what Describe says in full: of the rest
// there is a checksum.
const describedOps, describedText = 500, 200

// address is how a pointer is printed, which is another one in every process.
var address = regexp.MustCompile(`0x[0-9a-f]{6,}`)

// Describe implements Describer: the operations that the cost is computed with, in
// an order that depends on the graph alone, each with the numbers of its operands.
func (q *Problem) Describe() []string {
	d := &description{number: make(map[*gorgonia.Node]int)}
	for _, leaves := range []struct {
		kind  string
		nodes gorgonia.Nodes
	}{{"input", q.Inputs}, {"target", q.Targets}, {"parameter", q.Params}} {
		for _, n := range leaves.nodes {
			d.add(n, leaves.kind)
		}
	}
	d.visit(q.Cost)
	if q.Output != nil {
		d.visit(q.Output)
		d.lines = append(d.lines, fmt.Sprintf("output %d", d.number[q.Output]))
	}
	if more := len(d.lines) - describedOps; more > 0 {
		d.lines = append(d.lines[:describedOps:describedOps], fmt.Sprintf("%d more, checksum %s", more, checksum(strings.Join(d.lines[describedOps:], "\n"))))
	}
	return d.lines
}

// description numbers the nodes of a graph.
type description struct {
	lines  []string
	number map[*gorgonia.Node]int
}

// visit adds the node behind its operands.
func (d *description) visit(n *gorgonia.Node) {
	if _, ok := d.number[n]; ok {
		return
	}
	var operands []string
	for _, c := range children(n) {
		d.visit(c)
		operands = append(operands, fmt.Sprint(d.number[c]))
	}
	what := "leaf"
	if n.Op() != nil {
		what = address.ReplaceAllString(n.Op().String(), "0x")
	}
	if len(what) > describedText {
		what = what[:describedText] + " checksum " + checksum(what)
	}
	if operands != nil {
		what += " of " + strings.Join(operands, ", ")
	}
	d.add(n, what)
}

func (d *description) add(n *gorgonia.Node, what string) {
	d.number[n] = len(d.lines)
	d.lines = append(d.lines, fmt.Sprintf("%s, %v %v", what, n.Dtype(), n.Shape()))
}

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("%x", sum[:8])
}
