package live

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/record"
)

// onTerminal is a View on the terminal, with a clock that the test moves.
func onTerminal(e *terminal, c Config) (v *View, now *time.Time) {
	at := time.Unix(1_700_000_000, 0)
	v = New(e, c)
	v.size = func() (columns, rows int) { return e.columns, e.lines }
	v.now = func() time.Time { return at }
	return v, &at
}

// takeSteps takes steps of 200 ms, so that each is drawn.
func takeSteps(t *testing.T, v *View, now *time.Time, from, to int) {
	t.Helper()
	for step := from; step < to; step++ {
		*now = now.Add(200 * time.Millisecond)
		if err := v.Record(record.Stats{Step: step, Loss: 100 / float64(step+1), Rates: []float64{0.01 * float64(step+1)}}); err != nil {
			t.Fatal(err)
		}
	}
}

func wantRows(t *testing.T, e *terminal, want ...string) {
	t.Helper()
	if got := e.text(); !slices.Equal(got, want) {
		t.Errorf("the terminal has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFrame(t *testing.T) {
	e := newTerminal(t, 60, 24)
	if _, err := io.WriteString(e, "before\r\n"); err != nil {
		t.Fatal(err)
	}
	v, now := onTerminal(e, Config{Title: "mnist", Steps: 100, Examples: 128})
	takeSteps(t, v, now, 0, 1)
	wantRows(t, e, "before", "mnist: step 1 of 100, 1%", "loss 100      ▁", "rate 0.01     ▁", "")
	takeSteps(t, v, now, 1, 8)
	// 128 examples in 0.2 s; 92 steps of 0.2 s are left.
	picture := []string{"mnist: step 8 of 100, 8%", "loss 12.5     █▆▄▃▂▂▁▁", "rate 0.08     ▁▃▅▆▇▇██", "640 examples/s, 200 ms a step, 18 s left"}
	wantRows(t, e, slices.Concat([]string{"before"}, picture, []string{""})...)
	v.Pause()
	wantRows(t, e, "before", "")
	if _, err := io.WriteString(e, "epoch 1\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	// The throughput is unknown after a pause, the time left is not.
	picture[3] = "18 s left"
	wantRows(t, e, slices.Concat([]string{"before", "epoch 1"}, picture, []string{""})...)
	if err := v.Record(record.Stats{Step: 9}); err == nil || !strings.Contains(err.Error(), "step 9") || !strings.Contains(err.Error(), "closed") {
		t.Errorf("Record after Close: %v", err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

// TestNoFlicker looks at the terminal after each character of a frame: every row has its
// old or its new text, but for that with the cursor, which is never shorter than both.
func TestNoFlicker(t *testing.T) {
	e := newTerminal(t, 60, 24)
	v, now := onTerminal(e, Config{Title: "mnist", Steps: 1000, Examples: 32})
	takeSteps(t, v, now, 0, 2)
	for step := 2; step < 40; step++ {
		old, writes := e.text(), e.writes
		var seen [][]string
		e.each = func() { seen = append(seen, append(e.text(), fmt.Sprint(e.y))) }
		takeSteps(t, v, now, step, step+1)
		e.each = nil
		if e.writes != writes+1 {
			t.Fatalf("step %d: %d writes", step, e.writes-writes)
		}
		after := e.text()
		for _, rows := range seen {
			cursor := rows[len(rows)-1]
			for i, text := range rows[:len(rows)-1] {
				if text == old[i] || text == after[i] {
					continue
				}
				if fmt.Sprint(i) != cursor || len([]rune(text)) < min(len([]rune(old[i])), len([]rune(after[i]))) {
					t.Fatalf("step %d: row %d is %q on the way from %q to %q", step, i, text, old[i], after[i])
				}
			}
		}
	}
}

// TestResize changes the size at any time, on terminals of both kinds. What was written
// before stays, and the last rows are always the whole picture.
func TestResize(t *testing.T) {
	sizes := [][2]int{{60, 24}, {100, 24}, {61, 24}, {30, 10}, {12, 10}, {200, 50}, {80, 3}, {80, 2}, {80, 1}, {1, 1}, {2, 5}, {60, 24}}
	for _, reflows := range []bool{false, true} {
		e := newTerminal(t, 80, 24)
		e.reflows = reflows
		if _, err := io.WriteString(e, "before\r\n"); err != nil {
			t.Fatal(err)
		}
		v, now := onTerminal(e, Config{Title: "mnist", Steps: 1000})
		takeSteps(t, v, now, 0, 30)
		for i, size := range sizes {
			e.resize(size[0], size[1])
			before := len(e.rows)
			takeSteps(t, v, now, 30+10*i, 40+10*i)
			want := append(v.frame(*now, min(size[0]-1, mostColumns))[:max(1, min(4, size[1]-1))], "")
			got := e.text()
			for k := range want {
				if text := strings.TrimRight(want[len(want)-1-k], " "); got[len(got)-1-k] != text {
					t.Fatalf("%v, reflows %v: the last rows are\n%s\nwant\n%s", size, reflows, strings.Join(got[max(0, len(got)-6):], "\n"), strings.Join(want, "\n"))
				}
			}
			if first := strings.Join(got, "")[:1]; first != "b" {
				t.Fatalf("%v, reflows %v: %q was overwritten", size, reflows, "before")
			}
			if size[1] > 2 && len(e.rows) > before+4 {
				t.Errorf("%v, reflows %v: ten frames took %d rows", size, reflows, len(e.rows)-before)
			}
		}
	}
}

// TestRedraw takes steps faster than they are drawn.
func TestRedraw(t *testing.T) {
	e := newTerminal(t, 60, 24)
	v, now := onTerminal(e, Config{Steps: 10_000})
	for step := range 10_000 {
		*now = now.Add(time.Millisecond)
		if err := v.Record(record.Stats{Step: step, Loss: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if e.writes < 95 || e.writes > 105 {
		t.Errorf("%d frames in ten seconds", e.writes)
	}
	wantRows(t, e, "step 10000 of 10000, 100%", "loss 1        "+strings.Repeat("▁", 45), "1000 steps/s, 1 ms a step", "")
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	v := New(&out, Config{Title: "cifar", Steps: 40, Examples: 10, Unit: "tokens"})
	at := time.Unix(1_700_000_000, 0)
	v.now = func() time.Time { return at }
	takeSteps(t, v, &at, 7, 40) // a resumed run
	v.Pause()
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 17 || lines[0] != "cifar: step 8 of 40, 20%, loss 12.5, rate 0.08" ||
		lines[1] != "cifar: step 10 of 40, 25%, loss 10, rate 0.1, 50 tokens/s, 200 ms a step, 6 s left" ||
		!strings.HasPrefix(lines[16], "cifar: step 40 of 40, 100%, loss 2.5, rate 0.4, ") {
		t.Errorf("%d lines:\n%s", len(lines), &out)
	}
	if strings.ContainsAny(out.String(), "\x1b\r") {
		t.Errorf("control characters in %q", &out)
	}
	// A file is no terminal.
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if New(f, Config{}).size != nil {
		t.Error("a file is taken for a terminal")
	}
	out.Reset()
	v = New(&out, Config{}) // the number of steps is not known
	takeSteps(t, v, &at, 0, 250)
	if n := strings.Count(out.String(), "\n"); n != 2 || !strings.HasPrefix(out.String(), "step 100, loss 1, rate 1, ") {
		t.Errorf("%d lines:\n%s", n, &out)
	}
}

func TestRateOf(t *testing.T) {
	for _, test := range []struct {
		s    record.Stats
		what string
		x    string
	}{
		{record.Stats{}, "", "0"},
		{record.Stats{Rates: []float64{0.5}}, "rate", "0.5"},
		{record.Stats{Rates: []float64{0.5, 2, 8}}, "rate", "2"},
		{record.Stats{Rates: []float64{0, 2}}, "rate", "0"},
		{record.Stats{Precond: []record.PrecondNorms{{S: 1}}}, "", "0"},
		{record.Stats{Precond: []record.PrecondNorms{{Measures: &record.PrecondMeasures{Trace: 1}}, {Measures: &record.PrecondMeasures{Trace: 2}}}}, "tr P", "3"},
	} {
		if what, x := rateOf(test.s); what != test.what || fmt.Sprintf("%.6g", x) != test.x {
			t.Errorf("%+v: %q %v", test.s, what, x)
		}
	}
}

// broken is a terminal that is gone.
type broken struct{ writes int }

func (b *broken) Write([]byte) (int, error) {
	b.writes++
	return 0, errors.New("input/output error")
}

func TestTerminalGone(t *testing.T) {
	var w broken
	v := New(&w, Config{Title: "mnist", Steps: 10})
	at := time.Unix(0, 0)
	takeSteps(t, v, &at, 0, 10) // no step fails
	if err := v.Close(); err == nil || !strings.Contains(err.Error(), "mnist") || !strings.Contains(err.Error(), "input/output") || w.writes != 1 {
		t.Errorf("after %d writes: %v", w.writes, err)
	}
	v = New(nil, Config{})
	takeSteps(t, v, &at, 0, 200)
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}
