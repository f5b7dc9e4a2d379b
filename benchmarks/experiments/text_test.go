package experiments

import (
	"context"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// A Transformer that is trained on numerals translates them: the score rises from nearly
// 0 to that of the references.
func TestScoreOfTranslations(t *testing.T) {
	e, err := Get("table2-iwslt14")
	if err != nil {
		t.Fatal(err)
	}
	c := e.Scales[Smoke]
	c.Own = merged(net(1, 32, 2, 64, 100, 0.1), 40)
	c.Batch = 1024
	p, err := e.Problem(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Batches(c.Batch, 1)
	if err != nil {
		t.Fatal(err)
	}
	model, err := e.Task.Model(c)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := trainers.New(model, e.Task.Loss(), trainers.Adam(0.005), trainers.EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	score := func() float64 {
		s, err := p.Score(context.Background(), tr)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := score()
	for i := range 600 {
		if _, err := tr.Step(b.At(i)); err != nil {
			t.Fatal(err)
		}
	}
	if after := score(); !(before < 5 && after > 80) {
		t.Errorf("BLEU %.2f before, %.2f after", before, after)
	}
}

// A search's trials hold out pairs of the training part. They and the first ones that are
// evaluated have the shapes of the whole, so no more graphs are built for them.
func TestTextIsDivided(t *testing.T) {
	e, err := Get("table2-iwslt14")
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range []bool{false, true} {
		c := e.Scales[Smoke]
		if trial {
			c = e.Trial(Smoke)
		}
		p, err := e.Problem(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		held, test := 0, 20
		if trial {
			held, test = 40, 40
		}
		if p.Train.Len() != 200-held || p.Evaluate.Len() != 40 || p.Test.Len() != test || (p.Score == nil) != trial {
			t.Errorf("trial %v: %d, %d and %d pairs, score %v", trial, p.Train.Len(), p.Evaluate.Len(), p.Test.Len(), p.Score != nil)
		}
		shapes := make(map[[2]int]bool)
		for _, s := range p.Train.(*pairs).Shapes() {
			shapes[s] = true
		}
		for _, s := range p.Evaluate.(*pairs).Shapes() {
			if !shapes[s] {
				t.Errorf("trial %v: the shape %v is not that of a batch", trial, s)
			}
		}
		if _, err := p.Batches(c.Batch, 1); err != nil {
			t.Error(err)
		}
	}
}

// The paper's net is fairseq's transformer_iwslt_de_en with one table: its number of
// parameters is that of 6+6 blocks of width 512 and hidden 1024.
func TestParametersOfThePapersTransformer(t *testing.T) {
	model, err := textTask{}.Model(paperText)
	if err != nil {
		t.Fatal(err)
	}
	params, err := model.Init(1, paperText.Type())
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, p := range params {
		got += p.Value.Shape().TotalSize()
	}
	const d, hidden, rows = 512, 1024, 10152
	const attention, ffn, norm = 4 * (d + 1) * d, (d+1)*hidden + (hidden+1)*d, 2 * d
	if want := rows*d + 6*(attention+ffn+2*norm) + 6*(2*attention+ffn+3*norm); got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
}

// At the small scale the tables have a row for each token, and the codes of IWSLT'14 fit
// into the paper's table.
func TestVocabulariesFit(t *testing.T) {
	if os.Getenv("APO_DATA") == "" {
		t.Skip("APO_DATA does not name the folder of the data")
	}
	for _, c := range []Config{smallText, smallTalks} {
		p, err := textTask{}.Load(context.Background(), c)
		if errors.Is(err, datasets.ErrNotFound) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d pairs, %d batches an epoch", c.Set, p.Train.Len(), must(p.Batches(c.Batch, 1)).PerEpoch())
	}
}

func must(b Batches, _ error) Batches { return b }

// In a measurement of time the first step alone builds graphs: all batches have one shape.
func TestTimedTextHasOneShape(t *testing.T) {
	c := timedText(smokeText, 11)
	c.Batch = 512
	p, err := textTask{}.Load(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if s := p.Train.(*pairs).Shapes(); len(s) != 1 || s[0] != [2]int{16, 32} {
		t.Errorf("shapes %v", s)
	}
	if s := p.Train.(*pairs); s.Dropped() == s.Len() || smokeText.Own[ownLength] != 0 {
		t.Errorf("%d sentences, %d left out", s.Len(), s.Dropped())
	}
}

func TestBadTexts(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"no text":         func(c *Config) { c.Set = "latin" },
		"a vocabulary of": func(c *Config) { c.Own = merged(net(1, 16, 2, 32, 8, 0), 40) },
	} {
		c := smokeText
		change(&c)
		if _, err := (textTask{}).Load(context.Background(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

// A batch of random tokens has the number of places of a setting, and a net of it a loss
// near that of chance.
func TestRandomBatchOfText(t *testing.T) {
	c := smokeText
	b := textTask{}.RandomBatch(c)
	if n := b.T[0].Shape().TotalSize(); n != c.Batch {
		t.Errorf("%d places, want %d", n, c.Batch)
	}
	for _, id := range b.X[1].Ints() {
		if id <= batch.End || id >= int(c.Own[ownVocabulary]) {
			t.Fatalf("id %d", id)
		}
	}
	model, _ := textTask{}.Model(c)
	tr, err := trainers.New(model, textTask{}.Loss(), trainers.SGD(1e-6), trainers.EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	s, err := tr.Step(b)
	if want := math.Log(c.Own[ownVocabulary]); err != nil || math.Abs(s.Loss-want) > 1.5 {
		t.Errorf("loss %v, want about %v: %v", s.Loss, want, err)
	}
}
