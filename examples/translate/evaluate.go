package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/layers/search"
	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/text"
	"github.com/apo-gorgonia/apo/trainers/text/bleu"
)

// columns are those of epochs.csv behind epoch and step.
var columns = []string{"valid_loss", "perplexity", "bleu"}

// epoch is a line of epochs.csv.
type epoch struct {
	step             int
	loss, perplexity float64
	bleu             float64
}

// validation is the text that epochs are evaluated on.
type validation struct {
	sentences  *batch.Sentences
	sources    [][]int
	references [][]string
	graphs     graph.Shapes[*ofShape]
	loss       graph.Loss // without smoothing
}

func newValidation(e text.Encoding, p text.Parallel, tokens int) (*validation, error) {
	v := &validation{loss: graph.TokenCrossEntropy(graph.TokenSettings{Padding: text.Padding})}
	v.sources, v.references = e.EncodeAll(p.Source), references(p)
	var err error
	v.sentences, err = batch.NewSentences(v.sources, e.EncodeAll(p.Target), batch.TokenConfig{Tokens: tokens, DropLong: true})
	return v, errors.WithMessage(err, p.Title)
}

// references are the words of the targets.
func references(p text.Parallel) [][]string {
	all := make([][]string, p.Len())
	for i, line := range p.Target {
		all[i] = text.Tokens(line)
	}
	return all
}

// perToken is the mean cross-entropy of the target's tokens, without label smoothing. The
// members of comm divide the batches.
func (v *validation) perToken(comm collective.Communicator, m *layers.TransformerModel, params []*graph.Param, most int) (float64, error) {
	sums := make([]float64, 2) // of the loss, of tokens
	err := func() error {
		for i, rows := range v.sentences.Parts(most) {
			if i%comm.Size() != comm.Rank() {
				continue
			}
			b := v.sentences.NewPart(rows)
			v.sentences.Fill(b, rows, batch.Draw{})
			loss, err := v.lossOf(m, params, b)
			if err != nil {
				return err
			}
			n := float64(v.loss.Count(b))
			sums[0], sums[1] = sums[0]+n*loss, sums[1]+n
		}
		return nil
	}()
	if err := collective.JoinErrors(comm, err); err != nil {
		return 0, err
	}
	if err := collective.Sum(comm, sums); err != nil {
		return 0, errors.WithMessage(err, "validation")
	}
	return sums[0] / sums[1], nil
}

// ofShape is a graph of the loss with the batch that it reads.
type ofShape struct {
	*graph.Forward
	batch graph.Batch
}

// lossOf is the loss of a batch.
func (v *validation) lossOf(m *layers.TransformerModel, params []*graph.Param, b graph.Batch) (float64, error) {
	g, ok := v.graphs.Find(b, nil)
	if !ok {
		g = &ofShape{batch: b}
		var err error
		if g.Forward, err = graph.NewForward(params, slices.Concat(b.X, b.T), func(p *graph.Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
			y, err := m.Output(p, x[:2], theta)
			if err != nil {
				return nil, err
			}
			loss, err := v.loss.Build(y, x[2:])
			return gorgonia.Nodes{loss}, err
		}); err != nil {
			return 0, err
		}
		v.graphs.Add(b, nil, g)
	}
	own := slices.Concat(g.batch.X, g.batch.T)
	for i, a := range slices.Concat(b.X, b.T) {
		copy(own[i].Ints(), a.Ints())
	}
	if err := g.Run(); err != nil {
		return 0, err
	}
	return g.Number(0)
}

// newSearch is a search of the given width.
func (s *settings) newSearch(m *layers.TransformerModel, params []*graph.Param, width int) (*search.Searcher, error) {
	return search.New(m, params, search.Config{Width: width, Begin: text.Begin, End: text.End})
}

// bleuOf scores translations of sources. The members of comm divide them.
func bleuOf(ctx context.Context, comm collective.Communicator, s *search.Searcher, e text.Encoding, sources [][]int, references [][]string) (bleu.Score, error) {
	var own [][]int
	for i := comm.Rank(); i < len(sources); i += comm.Size() {
		own = append(own, sources[i])
	}
	part, err := words(ctx, s, e, own)
	if err := collective.JoinErrors(comm, err); err != nil {
		return bleu.Score{}, err
	}
	content, err := json.Marshal(part)
	if err != nil {
		return bleu.Score{}, err
	}
	parts, err := collective.Gather(comm, content)
	if err != nil {
		return bleu.Score{}, errors.WithMessage(err, "translations")
	}
	hypotheses := make([][]string, len(sources))
	for r, content := range parts {
		var part [][]string
		if err := json.Unmarshal(content, &part); err != nil {
			return bleu.Score{}, errors.Wrapf(err, "translations of rank %d", r)
		}
		for k, words := range part {
			hypotheses[r+k*len(parts)] = words
		}
	}
	return bleu.Corpus(hypotheses, references)
}

// words are those of the best translations of sources.
func words(ctx context.Context, s *search.Searcher, e text.Encoding, sources [][]int) ([][]string, error) {
	found, err := s.Search(ctx, sources)
	if err != nil {
		return nil, err
	}
	all := make([][]string, len(found))
	for i, f := range found {
		if all[i], err = e.Words(f[0].Tokens); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// evaluate evaluates the net after an epoch.
func (t *training) evaluate(ctx context.Context, start time.Time) error {
	return t.trainer.Evaluated(func() error { return t.evaluateWeights(ctx, start) })
}

// evaluateWeights evaluates the weights as they are.
func (t *training) evaluateWeights(ctx context.Context, start time.Time) error {
	params := t.trainer.Params()
	loss, err := t.valid.perToken(t.comm, t.model, params, t.Tokens)
	if err != nil {
		return err
	}
	if t.greedy == nil {
		if t.greedy, err = t.newSearch(t.model, params, 1); err != nil {
			return err
		}
	}
	score, err := bleuOf(ctx, t.comm, t.greedy, t.encoding, t.valid.sources, t.valid.references)
	if err != nil {
		return err
	}
	e := epoch{t.trainer.Steps(), loss, math.Exp(loss), score.BLEU}
	t.history = append(t.history, e)
	n, label := len(t.history), ""
	if best(t.history) == n {
		label = ", the best so far"
		if err := t.trainer.SaveWeights(t.path(bestFile)); err != nil {
			return err
		}
	}
	fmt.Fprintf(t.stdout, "epoch %d of %d: validation loss %.4f, perplexity %.2f, BLEU %.2f, %s%.1f s%s\n",
		n, t.Epochs, e.loss, e.perplexity, e.bleu, cli.Rates(t.trainer.Rates()), time.Since(start).Seconds(), label)
	return t.first(func() error {
		if err := t.logs.Epoch(n, e.step, e.loss, e.perplexity, e.bleu); err != nil {
			return err
		}
		return t.logs.Flush()
	})
}

// best is the epoch, counted from 1, with the best BLEU, the first of equal ones.
func best(history []epoch) int {
	at := 0
	for i, e := range history {
		if e.bleu > history[at].bleu {
			at = i
		}
	}
	return at + 1
}

// result is what result.json has.
type result struct {
	Epochs    int     `json:"epochs"`
	BestEpoch int     `json:"best_epoch"`
	ValidBLEU float64 `json:"valid_bleu"`
	TestBLEU  float64 `json:"test_bleu"`
	Beam      int     `json:"beam"`
}

// finish tests the net of the best epoch and draws the pictures.
func (t *training) finish(ctx context.Context) error {
	if err := t.trainer.SaveWeights(t.path(weightsFile)); err != nil {
		return err
	}
	if err := collective.JoinErrors(t.comm, t.trainer.LoadWeights(t.path(bestFile))); err != nil {
		return err
	}
	s, err := t.newSearch(t.model, t.trainer.Params(), t.beam)
	if err != nil {
		return err
	}
	sources := t.encoding.EncodeAll(t.corpus.test.Source)
	start := time.Now()
	score, err := bleuOf(ctx, t.comm, s, t.encoding, sources, references(t.corpus.test))
	if err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%s, width %d: %v (%.1f s)\n", t.corpus.test.Title, t.beam, score, time.Since(start).Seconds())
	return t.first(func() error {
		at := best(t.history)
		if err := runlog.WriteJSON(t.out, resultFile, result{t.Epochs, at, t.history[at-1].bleu, score.BLEU, t.beam}); err != nil {
			return err
		}
		if err := t.drawCurves(); err != nil {
			return err
		}
		if err := t.drawAttention(ctx, s, sources[0]); err != nil {
			return err
		}
		if err := t.logs.Pictures(t.steps(), t.path("loss.png"), t.path("bleu.png"), t.path("attention.png")); err != nil {
			return err
		}
		fmt.Fprintf(t.stdout, "results in %s\n", t.out)
		return nil
	})
}

// readHistory reads the epochs of a run.
func readHistory(dir string) ([]epoch, error) {
	rows, err := runlog.ReadEpochs(dir, 5)
	if err != nil {
		return nil, err
	}
	var history []epoch
	for _, row := range rows {
		history = append(history, epoch{int(row[1]), row[2], row[3], row[4]})
	}
	return history, nil
}
