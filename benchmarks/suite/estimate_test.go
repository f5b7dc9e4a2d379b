package suite

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/dryrun"
	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/record"
)

func listCall(args ...string) (int, string) {
	return call(func(ctx context.Context, args []string, out, err *strings.Builder) int {
		return ListCommand(ctx, args, out, err)
	}, args...)
}

// An estimate is the sum over methods, variants and seeds, and names what is missing.
func TestEstimated(t *testing.T) {
	e := &experiments.Experiment{
		Name: "made-up", Scales: map[experiments.Scale]experiments.Config{experiments.Small: {Steps: 1000}},
		Methods: []string{"sgdm", "adam", "kfac"}, Variants: map[string][]experiments.Variant{"adam": {{Name: "a"}, {Name: "b"}}},
	}
	of := costs(func(_ context.Context, _ *experiments.Experiment, m *methods.Method, j Job) (cost, bool, error) {
		switch {
		case m.Name == "sgdm":
			return cost{}, false, errors.New("no rate")
		case m.Name == "kfac":
			return cost{}, false, nil
		case j.Variant == "b":
			return cost{2, 3e9}, true, nil
		}
		return cost{1, 1e9}, true, nil
	})
	got, err := of.estimated(t.Context(), e, experiments.Small)
	if err != nil || got.seconds != 3*1000*(1+2) || got.memory != 3e9 || got.known != 2 || got.all != 4 {
		t.Errorf("%+v, %v", got, err)
	}
	if len(got.failed) != 1 || !strings.Contains(got.failed[0], "made-up small sgdm-seed1: no rate") {
		t.Errorf("%q", got.failed)
	}
	if text := got.String(); text != "about 2.5 h and 3.0 GB for 2 of 4" {
		t.Errorf("%q", text)
	}
	if text := (estimate{seconds: 30, known: 1, all: 1}).String(); text != "about 30 s" {
		t.Errorf("%q", text)
	}
	if text := (estimate{seconds: 0.9, memory: 2e7, known: 1, all: 1}).String(); text != "less than 1 s and 20 MB" {
		t.Errorf("%q", text)
	}
	if text := (estimate{all: 1}).String(); text != "" {
		t.Errorf("%q", text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := of.estimated(ctx, e, experiments.Small); err != context.Canceled {
		t.Errorf("a context that has ended: %v", err)
	}
}

// The cost of stored runs is the mean over seeds, of lines and condensed ones alike; runs of
// other sizes do not count.
func TestStoredCost(t *testing.T) {
	dir := t.TempDir()
	j := testJob(t, "adam")
	var want float64
	for seed := uint64(1); seed <= 2; seed++ {
		j.Seed = seed
		finish(t, dir, j)
		r, err := ReadRun(j.Path(dir))
		if err != nil {
			t.Fatal(err)
		}
		want += r.Done.SecondsPerStep / 2
		if seed == 2 {
			text, err := r.stored()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(j.storedPath(dir), text, 0o666); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(j.Path(dir)); err != nil {
				t.Fatal(err)
			}
		}
	}
	j.Seed, j.Values = 3, methods.Values{"lr": 0.5}
	c, ok, err := storedCost(dir, j)
	if err != nil || !ok || math.Abs(c.perStep-want) > 1e-3*want { // condensed numbers are rounded
		t.Errorf("%+v, %v, %v, want %v s", c, ok, err, want)
	}
	e, err := experiments.Get(j.Experiment)
	if err != nil {
		t.Fatal(err)
	}
	if got := weight(dir, e, j); math.Abs(got-c.perStep*float64(j.Config.Steps)) > 1e-9 {
		t.Errorf("the job has the weight %v", got)
	}
	code, text := listCall(j.Experiment, "-scale", "smoke", "-results", dir)
	if code != exitOK || !strings.Contains(text, " s and ") || !strings.Contains(text, " MB for 1 of ") || strings.Count(text, "widths ") != 1 {
		t.Errorf("exit code %d: %s", code, text)
	}
	other := j
	other.Config.Batch++
	if _, ok, err := storedCost(dir, other); ok || err != nil {
		t.Errorf("another batch size: %v, %v", ok, err)
	}
	j.Seed = 1
	if err := os.WriteFile(j.Path(dir), []byte("{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, text := listCall(j.Experiment, "-scale", "smoke", "-results", dir); code != exitFailed || !strings.Contains(text, filepath.Base(j.Path(dir))) {
		t.Errorf("a damaged run: exit code %d: %s", code, text)
	}
}

// Steps with and without a meta-step, and rare work, have the shares of a long run.
func TestStepOf(t *testing.T) {
	made := func(meta float64, base ...float64) (c dryrun.Cost) {
		second := func(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }
		for i, x := range base {
			s := trainers.Stats{BaseTime: second(x)}
			if i < 4 && meta > 0 {
				s.Meta, s.MetaTime = &record.MetaStats{}, second(meta)
			}
			c.Steps = append(c.Steps, s)
		}
		return c
	}
	for _, test := range []struct {
		method string
		k      int
		cost   dryrun.Cost
		want   func(j Job) float64
	}{
		{"sgdm", 0, made(0, 90, 3, 1, 2), func(Job) float64 { return 2 }},
		{"sgdm-apo", 10, made(5, 90, 3, 1, 2), func(Job) float64 { return 2 + 5./10 }},
		// The inverses take 20 s, every other step here.
		{"kfac", 0, made(0, 90, 1, 21, 1, 21, 1), func(j Job) float64 { return 1 + 20/float64(j.RarePeriod) }},
		{"precond", 3, made(5, 90, 1, 1, 1, 1, 1), func(j Job) float64 { return 1 + 5*float64(j.MetaSteps)/longRun }},
	} {
		m, err := methods.Get(test.method)
		if err != nil {
			t.Fatal(err)
		}
		j := testJob(t, test.method)
		j.Config.Steps = rareSteps
		if m.Rare != "" {
			j.Values[m.Rare] = 40
		}
		j.shorten(m)
		if m.Rare != "" && (j.Values[m.Rare] != 2 || j.RarePeriod != 40) {
			t.Fatalf("%s is measured with %v", test.method, j.Values)
		}
		test.cost.K = test.k
		if got, want := j.stepOf(test.cost, m), test.want(j); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v s, want %v", test.method, got, want)
		}
	}
}

// Every method can be measured on random examples, without its data and in 16 bits, and what
// costs the same is measured once.
func TestMeasuredCosts(t *testing.T) {
	of := measuredCosts()
	for _, name := range []string{"fig4-illcond-6", "table3-cifar10-lenet", "table2-iwslt14"} {
		e, err := experiments.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		first, err := of.estimated(t.Context(), e, experiments.Smoke)
		took := time.Since(began)
		if err != nil || first.known != first.all || first.all < 3 || first.seconds <= 0 {
			t.Errorf("%s: %+v, %v", name, first, err)
		}
		began = time.Now()
		again, err := of.estimated(t.Context(), e, experiments.Smoke)
		if err != nil || again.seconds != first.seconds || time.Since(began) > took/2 {
			t.Errorf("%s again: %+v in %v, %v; the first time %+v in %v", name, again, time.Since(began), err, first, took)
		}
	}
}

func TestList(t *testing.T) {
	none := t.TempDir()
	code, text := listCall("fig4-illcond-6", "-results", none)
	if code != exitOK || strings.Contains(text, " s and ") || slices.ContainsFunc(experiments.Scales, func(s experiments.Scale) bool { return !strings.Contains(text, "\n  "+string(s)+" ") }) {
		t.Errorf("exit code %d: %s", code, text)
	}
	code, text = listCall("fig4-illcond-6", "-scale", "smoke", "-measure")
	if code != exitOK || !strings.Contains(text, " s and ") || strings.Contains(text, " MB for ") {
		t.Errorf("exit code %d: %s", code, text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, message strings.Builder
	if code := ListCommand(ctx, []string{"fig4-illcond-6", "-measure"}, &out, &message); code != exitInterrupted || !strings.Contains(message.String(), "canceled") {
		t.Errorf("interrupted: exit code %d: %s", code, message.String())
	}
}
