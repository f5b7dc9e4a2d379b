package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/layers/search"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/text"
)

// learnsPrecond reports whether an optimizer learns a preconditioner in place of a rate.
func learnsPrecond(o trainers.Optimizer) bool {
	_, ok := o.(learn.Updater)
	return ok
}

// longestLine is the largest number of bytes of a line to translate.
const longestLine = 1 << 20

// translate translates the lines of stdin by the best net of the run in -out. An empty
// line gives an empty line.
func (s *settings) translate(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	e, err := s.readEncoding()
	if err != nil {
		return err
	}
	e.Tokenizer = &tokenizer
	m := s.model(e.Vocabulary.Size())
	params, err := s.bestWeights(m)
	if err != nil {
		return err
	}
	searcher, err := s.newSearch(m, params, s.beam)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, longestLine)
	for number := 1; lines.Scan(); number++ {
		if err := translateLine(ctx, searcher, e, lines.Text(), stdout); err != nil {
			return errors.WithMessagef(err, "standard input, line %d", number)
		}
	}
	return errors.Wrap(lines.Err(), "standard input")
}

func translateLine(ctx context.Context, s *search.Searcher, e text.Encoding, line string, stdout io.Writer) error {
	if !utf8.ValidString(line) {
		return errors.New("it is not UTF-8")
	}
	source := e.Encode(line)
	if len(source) == 0 {
		_, err := fmt.Fprintln(stdout)
		return err
	}
	all, err := words(ctx, s, e, [][]int{source})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, text.Detokenize(strings.Join(all[0], " ")))
	return err
}

// bestWeights are those of the best epoch of the run in -out.
func (s *settings) bestWeights(m *layers.TransformerModel) ([]*graph.Param, error) {
	t, err := trainers.New(m, graph.TokenCrossEntropy(graph.TokenSettings{Padding: text.Padding}), trainers.SGD(1), trainers.Dtype(tensor.Float32))
	if err != nil {
		return nil, err
	}
	if err := t.LoadWeights(filepath.Join(s.out, bestFile)); err != nil {
		return nil, errors.WithMessage(err, "-translate needs a run that has ended an epoch")
	}
	return t.Params(), nil
}
