package suite

import (
	"bytes"
	"encoding/json"

	"github.com/pkg/errors"
)

// storedVersion is the version of the format of stored runs.
const storedVersion = 1

// storedRun is the file of a condensed run.
type storedRun struct {
	Version     int          `json:"version"`
	Header      Header       `json:"header"`
	Environment *Environment `json:"environment"`
	Curve       curve        `json:"curve"`
	Done        *Done        `json:"done"`
}

// curve has a column for each number of the evaluations; a column of which no
// evaluation has a value is empty. Epochs follow from the steps.
type curve struct {
	Step          []int      `json:"step"`
	Seconds       []float64  `json:"seconds"`
	TrainLoss     []Number   `json:"train_loss"`
	TestLoss      []*Number  `json:"test_loss"`
	TrainAccuracy []*Number  `json:"train_accuracy"`
	Accuracy      []*Number  `json:"accuracy"`
	Score         []*Number  `json:"score"`
	BatchLoss     []*Number  `json:"batch_loss"`
	Rates         [][]Number `json:"rates"`
}

// column is a column of optional numbers with its place in an evaluation.
type column struct {
	name   string
	values *[]*Number
	of     func(*Evaluation) **Number
}

func (c *curve) columns() []column {
	return []column{
		{"test_loss", &c.TestLoss, func(e *Evaluation) **Number { return &e.TestLoss }},
		{"train_accuracy", &c.TrainAccuracy, func(e *Evaluation) **Number { return &e.TrainAccuracy }},
		{"accuracy", &c.Accuracy, func(e *Evaluation) **Number { return &e.Accuracy }},
		{"score", &c.Score, func(e *Evaluation) **Number { return &e.Score }},
		{"batch_loss", &c.BatchLoss, func(e *Evaluation) **Number { return &e.BatchLoss }},
	}
}

// member is a member of a JSON object.
type member struct {
	name  string
	value any // []member for an object with a line for each member
}

// stored is the text of a condensed run's file, with a line for each member, so that a
// change is easy to see. The same run has the same bytes.
func (r *Run) stored() ([]byte, error) {
	c := r.Condensed()
	var cols curve
	rates := false
	for _, e := range c.Evaluations {
		cols.Step, cols.Seconds = append(cols.Step, e.Step), append(cols.Seconds, e.Seconds)
		cols.TrainLoss = append(cols.TrainLoss, e.TrainLoss)
		cols.Rates = append(cols.Rates, e.Rates)
		rates = rates || len(e.Rates) > 0
		for _, col := range cols.columns() {
			*col.values = append(*col.values, *col.of(&e))
		}
	}
	lines := []member{{"step", cols.Step}, {"seconds", cols.Seconds}, {"train_loss", cols.TrainLoss}}
	for _, col := range cols.columns() {
		if anyKnown(*col.values) {
			lines = append(lines, member{col.name, *col.values})
		}
	}
	if rates {
		lines = append(lines, member{"rates", cols.Rates})
	}
	all := []member{{"version", storedVersion}, {"header", c.Header}}
	if c.Environment != nil {
		all = append(all, member{"environment", c.Environment})
	}
	var b bytes.Buffer
	err := layOut(&b, "", append(all, member{"curve", lines}, member{"done", c.Done}))
	b.WriteByte('\n')
	return b.Bytes(), err
}

// anyKnown reports whether a column has a value.
func anyKnown(values []*Number) bool {
	for _, v := range values {
		if v != nil {
			return true
		}
	}
	return false
}

// layOut writes an object with a line for each member.
func layOut(b *bytes.Buffer, indent string, members []member) error {
	b.WriteString("{\n")
	for i, m := range members {
		b.WriteString(indent + `  "` + m.name + `": `)
		if inner, ok := m.value.([]member); ok {
			if err := layOut(b, indent+"  ", inner); err != nil {
				return err
			}
		} else {
			text, err := json.Marshal(m.value)
			if err != nil {
				return errors.Wrap(err, m.name)
			}
			b.Write(text)
		}
		if i < len(members)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString(indent + "}")
	return nil
}

// parseStored reads a condensed run.
func parseStored(text []byte) (*Run, error) {
	var s storedRun
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	switch {
	case s.Version != storedVersion:
		return nil, errors.Errorf("version %d of stored runs, want %d", s.Version, storedVersion)
	case s.Header.Experiment == "" || s.Header.Method == "":
		return nil, errors.New("header: it names no experiment and method")
	case s.Done == nil:
		return nil, errors.New("done: it is missing")
	}
	r := &Run{Header: s.Header, Environment: s.Environment, Done: s.Done}
	n := len(s.Curve.Step)
	if len(s.Curve.Seconds) != n || len(s.Curve.TrainLoss) != n {
		return nil, errors.Errorf("curve: %d steps, %d seconds, %d train_loss", n, len(s.Curve.Seconds), len(s.Curve.TrainLoss))
	}
	for i, step := range s.Curve.Step {
		if i > 0 && step <= s.Curve.Step[i-1] {
			return nil, errors.Errorf("curve: step %d after step %d", step, s.Curve.Step[i-1])
		}
		e := Evaluation{Step: step, Seconds: s.Curve.Seconds[i], TrainLoss: s.Curve.TrainLoss[i]}
		if r.Header.PerEpoch > 0 {
			e.Epoch = float64(step) / float64(r.Header.PerEpoch)
		}
		r.Evaluations = append(r.Evaluations, e)
	}
	return r, r.addColumns(&s.Curve)
}

// addColumns enters the numbers that not every evaluation has.
func (r *Run) addColumns(c *curve) error {
	n := len(r.Evaluations)
	for _, col := range c.columns() {
		values := *col.values
		if len(values) != n && len(values) > 0 {
			return errors.Errorf("curve: %d steps, %d %s", n, len(values), col.name)
		}
		for i, v := range values {
			*col.of(&r.Evaluations[i]) = v
		}
	}
	if len(c.Rates) != n && len(c.Rates) > 0 {
		return errors.Errorf("curve: %d steps, %d rates", n, len(c.Rates))
	}
	for i, v := range c.Rates {
		r.Evaluations[i].Rates = v
	}
	return nil
}
