package record

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/errors"
)

var (
	plainStep = Stats{Step: 3, Loss: 0.5, Rates: []float64{0.1, 0.01}, BaseTime: 1500 * time.Millisecond}
	metaStep  = Stats{
		Step: 4, Loss: 0.25, Rates: []float64{0.125, 1e-9},
		Meta:     &MetaStats{Q: 1, Loss: 0.5, FSD: 2, WSD: 4, LambdaFSD: 0.125, LambdaWSD: 0.0625, GradNorm: 8, Skipped: true},
		Precond:  []PrecondNorms{{Block: "conv", A: 3, B: 5, S: 1}, {Block: "bias", A: 0, B: 0, S: 1}, {Block: "fc", A: 4, B: 12, S: 1}},
		BaseTime: time.Second, MetaTime: 250 * time.Millisecond,
	}
	rowsStep = Stats{
		Step: 6, Loss: 0.125, Rates: []float64{1, 1}, Meta: &MetaStats{},
		Precond: []PrecondNorms{
			{Block: "fc", A: 3, B: 4, Measures: &PrecondMeasures{EnergyA: 0.5, EnergyB: 0.75, Condition: 10, Trace: 2, Discrepancy: 0.375}},
			{Block: "out", Measures: &PrecondMeasures{EnergyA: 0.25, EnergyB: 1, Condition: 100, Trace: 5, Discrepancy: 0.125}},
		},
	}
	nanStep = Stats{
		Step: 5, Loss: math.NaN(), Rates: []float64{math.Inf(1), math.Inf(-1)},
		Meta: &MetaStats{Q: math.NaN(), GradNorm: math.Inf(1)},
	}
)

// recordAll gives the steps to r.
func recordAll(t *testing.T, r Recorder, steps ...Stats) {
	t.Helper()
	for _, s := range steps {
		if err := r.Record(s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestJSONL(t *testing.T) {
	var b bytes.Buffer
	recordAll(t, NewJSONL(&b), plainStep, metaStep, nanStep, Stats{}, rowsStep)
	want := []string{
		`{"step":3,"loss":0.5,"rates":[0.1,0.01],"base_seconds":1.5,"meta_seconds":0}`,
		`{"step":4,"loss":0.25,"rates":[0.125,1e-9],"q":1,"q_loss":0.5,"fsd":2,"wsd":4,"lambda_fsd":0.125,"lambda_wsd":0.0625,"epsilon":1,"meta_grad_norm":8,"meta_skipped":true,` +
			`"precond":[{"block":"conv","a":3,"b":5,"s":1},{"block":"bias","a":0,"b":0,"s":1},{"block":"fc","a":4,"b":12,"s":1}],"base_seconds":1,"meta_seconds":0.25}`,
		`{"step":5,"loss":"NaN","rates":["+Inf","-Inf"],"q":"NaN","q_loss":0,"fsd":0,"wsd":0,"lambda_fsd":0,"lambda_wsd":0,"epsilon":1,"meta_grad_norm":"+Inf","meta_skipped":false,"base_seconds":0,"meta_seconds":0}`,
		`{"step":0,"loss":0,"rates":[],"base_seconds":0,"meta_seconds":0}`,
		`{"step":6,"loss":0.125,"rates":[1,1],"q":0,"q_loss":0,"fsd":0,"wsd":0,"lambda_fsd":0,"lambda_wsd":0,"epsilon":1,"meta_grad_norm":0,"meta_skipped":false,` +
			`"precond":[{"block":"fc","a":3,"b":4,"s":0,"energy_a":0.5,"energy_b":0.75,"condition":10,"trace":2,"discrepancy":0.375},` +
			`{"block":"out","a":0,"b":0,"s":0,"energy_a":0.25,"energy_b":1,"condition":100,"trace":5,"discrepancy":0.125}],"base_seconds":0,"meta_seconds":0}`,
	}
	lines := strings.SplitAfter(b.String(), "\n")
	if len(lines) != len(want)+1 || lines[len(want)] != "" {
		t.Fatalf("%d lines: %q", len(lines)-1, lines)
	}
	for i, w := range want {
		if lines[i] != w+"\n" {
			t.Errorf("line %d\n%swant\n%s", i, lines[i], w)
		}
		if !json.Valid([]byte(lines[i])) {
			t.Errorf("line %d is not JSON", i)
		}
	}
}

// TestHyperparametersAreRecorded has a column and a key for each, and a table refuse others.
func TestHyperparametersAreRecorded(t *testing.T) {
	step := Stats{Step: 1, Rates: []float64{0.5}, Hyperparameters: map[string]float64{"weight_decay": 0.25, "damping": math.Inf(1)}}
	var lines, table bytes.Buffer
	recordAll(t, NewJSONL(&lines), step)
	if want := `"hyperparameters":{"damping":"+Inf","weight_decay":0.25}`; !strings.Contains(lines.String(), want) {
		t.Errorf("%s without %s", lines.String(), want)
	}
	c := NewCSV(&table)
	recordAll(t, c, step)
	if want := "step,loss,rate_0,hyper_damping,hyper_weight_decay,q,"; !strings.HasPrefix(table.String(), want) {
		t.Errorf("%s without %s", table.String(), want)
	}
	if want := "\n1,0,0.5,+Inf,0.25,,"; !strings.Contains(table.String(), want) {
		t.Errorf("%s without %s", table.String(), want)
	}
	if err := c.Record(plainStep); err == nil {
		t.Error("a row without hyperparameters was written")
	}
	step.Hyperparameters = nil
	if err := c.Record(step); err == nil || !strings.Contains(err.Error(), "hyperparameters") {
		t.Errorf("error %v", err)
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	c := NewCSV(&b)
	recordAll(t, c, plainStep, metaStep, nanStep, rowsStep)
	want := `step,loss,rate_0,rate_1,q,q_loss,fsd,wsd,lambda_fsd,lambda_wsd,epsilon,meta_grad_norm,meta_skipped,norm_A,norm_B,norm_S,energy,condition,trace,discrepancy,base_seconds,meta_seconds
3,0.5,0.1,0.01,,,,,,,,,,,,,,,,,1.5,0
4,0.25,0.125,1e-09,1,0.5,2,4,0.125,0.0625,1,8,true,5,13,1.7320508075688772,,,,,1,0.25
5,NaN,+Inf,-Inf,NaN,0,0,0,0,0,1,+Inf,false,,,,,,,,0,0
6,0.125,1,1,0,0,0,0,0,0,1,0,false,3,4,0,0.625,100,7,0.25,0,0
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	rows, err := csv.NewReader(&b).ReadAll() // also checks that all rows are as long as the header
	if err != nil || len(rows) != 5 {
		t.Errorf("%d rows, %v", len(rows), err)
	}

	testCSVScale(t)
	if err := c.Record(Stats{Step: 6, Rates: []float64{1}}); err == nil || !strings.Contains(err.Error(), "step 6") {
		t.Errorf("other number of rates: %v", err)
	}
	recordAll(t, c, plainStep)

	b.Reset()
	recordAll(t, NewCSV(&b), Stats{Step: 1})
	if !strings.HasPrefix(b.String(), "step,loss,q,") || !strings.Contains(b.String(), "\n1,0,,") {
		t.Errorf("without rates:\n%s", b.String())
	}
}

// With SkipNonFinite alone a table says of every step whether it was skipped, also where it
// goes on with a run without.
func TestCSVSkips(t *testing.T) {
	text := reopened(t, Stats{SkipsNonFinite: true}, Stats{Step: 1, SkipsNonFinite: true, StepSkipped: true}, Stats{Step: 2}, Stats{Step: 3, LossScale: 8})
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if slices.Contains(rows[0], "loss_scale") {
		t.Errorf("a column of 16 bits: %v", rows[0])
	}
	at := slices.Index(rows[0], "step_skipped")
	for i, want := range []string{"step_skipped", "false", "true", "", "false"} {
		if at < 0 || rows[i][at] != want {
			t.Errorf("row %d: %v, want %q in column %d", i, rows[i], want, at)
		}
	}
}

// reopened is a table that is opened anew for each step.
func reopened(t *testing.T, all ...Stats) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table")
	for steps, s := range all {
		c, _, err := OpenCSV(path, steps)
		if err != nil {
			t.Fatal(err)
		}
		recordAll(t, c, s)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testCSVScale is about the columns of a training in 16 bits, and a table that goes on with
// one that is not.
func testCSVScale(t *testing.T) {
	t.Helper()
	text := reopened(t, Stats{LossScale: 1024}, Stats{Step: 1, LossScale: 512, StepSkipped: true}, Stats{Step: 2})
	for _, part := range []string{",meta_seconds,loss_scale,step_skipped\n0,", ",1024,false\n", ",512,true\n", ",0,,\n"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

// failingWriter accepts n bytes, then fails like a full disk.
type failingWriter struct {
	w io.Writer
	n int
}

func (f *failingWriter) Write(b []byte) (int, error) {
	if len(b) <= f.n {
		f.n -= len(b)
		return f.w.Write(b)
	}
	n, _ := f.w.Write(b[:f.n])
	f.n = 0
	return n, syscall.ENOSPC
}

func TestRecorderWriteErrors(t *testing.T) {
	for name, fresh := range map[string]func(io.Writer) Recorder{
		"JSONL": func(w io.Writer) Recorder { return NewJSONL(w) },
		"CSV":   func(w io.Writer) Recorder { return NewCSV(w) },
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			r := fresh(&failingWriter{&b, 400})
			var err error
			step := 0
			for ; err == nil && step < 100; step++ {
				err = r.Record(Stats{Step: 1000 + step})
			}
			last := 1000 + step - 1
			if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "step "+strconv.Itoa(last)) {
				t.Errorf("step %d: %v", last, err)
			}
			before := b.Len()
			if err := r.Record(Stats{}); !errors.Is(err, syscall.ENOSPC) || b.Len() != before {
				t.Errorf("after the error: %v", err)
			}
		})
	}
}

// brokenFile counts and fails like a file on a broken disk.
type brokenFile struct {
	bytes.Buffer
	closed int
}

func (c *brokenFile) Close() error { c.closed++; return syscall.EIO }

func TestRecorderFlushAndClose(t *testing.T) {
	type flushCloser interface {
		Recorder
		Flush() error
		Close() error
	}
	for name, fresh := range map[string]func(io.Writer) flushCloser{
		"JSONL": func(w io.Writer) flushCloser { return NewJSONL(w) },
		"CSV":   func(w io.Writer) flushCloser { return NewCSV(w) },
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			r := fresh(bufio.NewWriter(&b))
			recordAll(t, r, plainStep)
			if b.Len() != 0 {
				t.Error("the buffer was flushed too early")
			}
			if err := r.Flush(); err != nil || b.Len() == 0 {
				t.Errorf("flush: %v, %d bytes", err, b.Len())
			}

			r = fresh(bufio.NewWriter(&failingWriter{&b, 0}))
			recordAll(t, r, plainStep)
			if err := r.Flush(); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("flush to a full disk: %v", err)
			}
			if err := r.Close(); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("close to a full disk: %v", err)
			}

			var c brokenFile
			if err := fresh(&c).Close(); !errors.Is(err, syscall.EIO) || c.closed != 1 {
				t.Errorf("close: %v, closed %d times", err, c.closed)
			}
			if err := fresh(&b).Close(); err != nil {
				t.Errorf("nothing to close: %v", err)
			}
		})
	}
}

func TestHistoryKeepsCopies(t *testing.T) {
	s := metaStep
	s.Rates = []float64{1, 2}
	meta := *metaStep.Meta
	s.Meta = &meta
	s.Precond = []PrecondNorms{{Block: "a", A: 1, B: 2, S: 3, Measures: &PrecondMeasures{Trace: 4}}}
	var h History
	recordAll(t, &h, s, plainStep)
	s.Rates[0], s.Meta.Q, s.Precond[0].A = -1, -1, -1
	want := metaStep
	want.Rates = []float64{1, 2}
	want.Precond = []PrecondNorms{{Block: "a", A: 1, B: 2, S: 3, Measures: &PrecondMeasures{Trace: 4}}}
	if !reflect.DeepEqual(h.Steps, []Stats{want, plainStep}) {
		t.Errorf("%+v", h.Steps)
	}
}

// failingRecorder is a Recorder that fails.
type failingRecorder string

func (b failingRecorder) Record(Stats) error { return errors.New(string(b)) }

func TestMulti(t *testing.T) {
	var a, b History
	recordAll(t, Multi(&a, nil, &b), plainStep)
	err := Multi(failingRecorder("first"), &a, failingRecorder("second"), &b).Record(metaStep)
	if err == nil || err.Error() != "first" {
		t.Error(err)
	}
	if want := []Stats{plainStep, metaStep}; !reflect.DeepEqual(a.Steps, want) || !reflect.DeepEqual(b.Steps, want) {
		t.Errorf("%v, %v", a.Steps, b.Steps)
	}
	recordAll(t, Multi(), plainStep)
}

// TestEveryKeepsMetaSteps: meta-steps that end between the steps that are passed on are not lost.
func TestEveryKeepsMetaSteps(t *testing.T) {
	var h History
	r := Every(4, &h)
	for step := range 10 {
		s := Stats{Step: step}
		if step == 1 || step == 3 || step == 8 {
			s.Meta = &MetaStats{Q: float64(step)}
		}
		if err := r.Record(s); err != nil {
			t.Fatal(err)
		}
	}
	if s := h.Steps; len(s) != 3 || s[0].Meta != nil || s[1].Meta == nil || s[1].Meta.Q != 3 || s[2].Meta == nil || s[2].Meta.Q != 8 {
		t.Errorf("%+v", h.Steps)
	}
}

func TestEvery(t *testing.T) {
	var h History
	r := Every(3, &h)
	for i := range 8 {
		recordAll(t, r, Stats{Step: i})
	}
	if want := []Stats{{Step: 0}, {Step: 3}, {Step: 6}}; !reflect.DeepEqual(h.Steps, want) {
		t.Errorf("%v", h.Steps)
	}
	for _, bad := range []Recorder{Every(0, &h), Every(-1, &h), Every(1, nil)} {
		if err := bad.Record(Stats{Step: 7}); err == nil || !strings.Contains(err.Error(), "step 7") {
			t.Error(err)
		}
	}
	if err := Every(2, failingRecorder("x")).Record(Stats{Step: 4}); err == nil {
		t.Error("the error got lost")
	}
}
