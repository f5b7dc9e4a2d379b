package tensorboard

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// Records as other writers made them: the first three by the Python package
// tensorboard_logger, the last by TensorFlow.
func TestEventsAreThoseOfOtherWriters(t *testing.T) {
	at := time.UnixMilli(256500)
	for _, test := range []struct {
		name      string
		got, want string
	}{
		{"version", string(versionEvent(at)), "\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK\"\t\x00\x00\x00\x00\x00\x08p@\x1a\rbrain.Event:2\xbc\x98!+"},
		{"scalar", string(summaryEvent(at, 1, scalarValue("v/1", 1.5))),
			"\x19\x00\x00\x00\x00\x00\x00\x00\x8b\xf1\x08(\t\x00\x00\x00\x00\x00\x08p@\x10\x01*\x0c\n\n\n\x03v/1\x15\x00\x00\xc0?,\xec\xc0\x87"},
		{"another", string(summaryEvent(at, 2, scalarValue("v/22", 16))),
			"\x1a\x00\x00\x00\x00\x00\x00\x00\x12\x9b\xd8-\t\x00\x00\x00\x00\x00\x08p@\x10\x02*\r\n\x0b\n\x04v/22\x15\x00\x00\x80A\x8f\xa3\xb6\x88"},
		{"version of TensorFlow", "\t\x00\x00\x00'\xe6\xb3\xd5A\x1a\rbrain.Event:2",
			"\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK\"\t\x00\x00\x00'\xe6\xb3\xd5A\x1a\rbrain.Event:2jM\x0b\x15"},
	} {
		if got := string(appendFrame(nil, []byte(test.got))); got != test.want {
			t.Errorf("%s: got\n%q, want\n%q", test.name, got, test.want)
		}
	}
}

func TestChecksum(t *testing.T) {
	if c := crc32c([]byte("123456789")); c != 0xe3069283 { // the check value of CRC-32C
		t.Fatalf("the test's own checksum is %#x", c)
	}
	for n := range 300 {
		data := bytes.Repeat([]byte{byte(7 * n)}, n)
		if unmasked(masked(data)) != crc32c(data) {
			t.Fatalf("%d bytes: masked checksum %#x of %#x", n, masked(data), crc32c(data))
		}
	}
}

// stats has all that a step can have, with values of the step.
func stats(step int) record.Stats {
	x := float64(step) + 0.25
	s := record.Stats{
		Step: step, Loss: 1 / x, Rates: []float64{x, 2 * x}, Hyperparameters: map[string]float64{"damping": 3 * x}, LossScale: 1024,
		BaseTime: time.Duration(step) * time.Millisecond,
	}
	if step%2 == 0 {
		s.Meta = &record.MetaStats{Q: 4 * x, Loss: 5 * x, GradNorm: math.NaN(), FSD: math.Inf(1), Skipped: true}
		s.Precond = []record.PrecondNorms{{Block: "hidden.W", S: 6 * x, Measures: &record.PrecondMeasures{Trace: 7 * x}}}
	}
	return s
}

func mustRecord(t *testing.T, l *Log, from, to int) {
	t.Helper()
	for step := from; step < to; step++ {
		if err := l.Record(stats(step)); err != nil {
			t.Fatal(err)
		}
	}
}

func mustOpen(t *testing.T, folder string, steps int) *Log {
	t.Helper()
	l, err := Open(folder, steps)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// wantCurves compares the run in the folder with the statistics of so many steps.
func wantCurves(t *testing.T, folder string, steps int) {
	t.Helper()
	want := map[string][]point{}
	for step := range steps {
		for name, v := range stats(step).Scalars() {
			want[name] = append(want[name], point{step, float32(v)})
		}
	}
	got := readRun(t, folder).curves
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if fmt.Sprint(got[name]) != fmt.Sprint(want[name]) { // NaN is NaN
			t.Errorf("%s: got %v, want %v", name, got[name], want[name])
		}
		delete(got, name)
	}
	for name, curve := range got {
		if len(curve) > 0 {
			t.Errorf("%s: %v", name, curve)
		}
	}
}

// TestLog reads everything back with another decoder.
func TestLog(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "runs", "first")
	l := mustOpen(t, folder, 0)
	mustRecord(t, l, 0, 40)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	wantCurves(t, folder, 40)
	if name := filepath.Base(l.Name()); !strings.HasPrefix(name, "events.out.tfevents.") {
		t.Errorf("TensorBoard does not look for %s", name)
	}
}

func TestWallTime(t *testing.T) {
	folder := t.TempDir()
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	l, err := open(folder, 0, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Scalar("x", 3, 1); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(l.Name())
	if err != nil {
		t.Fatal(err)
	}
	all, err := records(file)
	if err != nil || len(all) != 3 {
		t.Fatalf("%d records, %v", len(all), err)
	}
	for _, data := range all {
		if seconds := decode(t, data).field("wall_time").Float(); math.Abs(seconds-1770091506.789) > 1e-5 {
			t.Errorf("%.6f seconds", seconds)
		}
	}
}

// TestResume stops runs without and with steps behind the checkpoint, in the middle of a
// record too, and has them go on: TensorBoard must show the curves of a run never stopped.
func TestResume(t *testing.T) {
	for name, cut := range map[string]int{"whole": 0, "half a record": 30} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			l := mustOpen(t, folder, 0)
			mustRecord(t, l, 0, 25)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(l.Name())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(l.Name(), info.Size()-int64(cut)); err != nil {
				t.Fatal(err)
			}
			for _, steps := range []int{20, 22, 22} { // all within a second
				l = mustOpen(t, folder, steps)
				mustRecord(t, l, steps, 30)
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
			wantCurves(t, folder, 30)
			l = mustOpen(t, folder, 0) // a new run in the same folder
			mustRecord(t, l, 0, 5)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			wantCurves(t, folder, 5)
		})
	}
}

// TestNamesAreInOrder has a clock that was set back.
func TestNamesAreInOrder(t *testing.T) {
	folder := t.TempDir()
	var names []string
	for _, at := range []int64{2_000_000_000, 2_000_000_000, 1_000_000_000, 2_000_000_500} {
		l, err := open(folder, 0, func() time.Time { return time.Unix(at, 0) })
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		names = append(names, l.Name())
	}
	if !slices.IsSorted(names) || len(slices.Compact(names)) != 4 {
		t.Errorf("%q", names)
	}
}

// TestReadWhileWriting reads at every moment of a run whose clock goes on by a second a
// step: what is older than flushEvery is there.
func TestReadWhileWriting(t *testing.T) {
	folder := t.TempDir()
	now := time.Unix(1_700_000_000, 0)
	l, err := open(folder, 0, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if len(readRun(t, folder).curves) != 0 { // the new file can be read
		t.Error("curves without a step")
	}
	for step := range 50 {
		now = now.Add(time.Second)
		mustRecord(t, l, step, step+1)
		if n := len(readRun(t, folder).curves["loss"]); n < step+1-int(flushEvery/time.Second) || n > step+1 {
			t.Errorf("%d steps of %d in the file", n, step+1)
		}
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	wantCurves(t, folder, 50)
}

func picture(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImage(t *testing.T) {
	folder := t.TempDir()
	l := mustOpen(t, folder, 0)
	frame := image.Rect(0, 0, 5, 3)
	opaque, clear := image.NewRGBA(frame), image.NewNRGBA(frame)
	for i := range opaque.Pix {
		opaque.Pix[i] = 255
	}
	clear.Set(1, 1, color.NRGBA{1, 2, 3, 4})
	pictures := map[string]struct {
		content    []byte
		colorspace int64
	}{
		"gray": {picture(t, image.NewGray(frame)), 1}, "rgb": {picture(t, opaque), 3}, "rgba": {picture(t, clear), 4},
		"palette": {picture(t, image.NewPaletted(frame, color.Palette{color.Black, color.White})), 3},
	}
	for name, p := range pictures {
		if err := l.Image("curves/"+name, 7, p.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Image("curves/none", 7, []byte("GIF89a")); err == nil || !strings.Contains(err.Error(), "curves/none") || !strings.Contains(err.Error(), l.Name()) {
		t.Errorf("no PNG: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	images := readRun(t, folder).images
	if len(images) != len(pictures) {
		t.Errorf("%d images, want %d", len(images), len(pictures))
	}
	for name, p := range pictures {
		got := images["curves/"+name]
		if len(got) != 1 || got[0].field("width").Int() != 5 || got[0].field("height").Int() != 3 || got[0].field("colorspace").Int() != p.colorspace ||
			!bytes.Equal(got[0].field("encoded_image_string").Bytes(), p.content) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestErrors(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{file, filepath.Join(file, "below")} {
		_, err := Open(bad, 0)
		errortest.Want(t, err, file)
	}
	_, err := Open(folder, -1)
	errortest.Want(t, err, folder, "-1")

	l := mustOpen(t, folder, 0)
	errortest.Want(t, l.Scalar("", 3, 1), l.Name(), "step 3", "empty")
	errortest.Want(t, l.Scalar("a\xff", 3, 1), l.Name(), `a\xff`)
	errortest.Want(t, l.Scalar("a", -1, 1), l.Name(), "-1")
	errortest.Want(t, l.Record(record.Stats{Step: 4, Precond: []record.PrecondNorms{{Block: "\xff"}}}), l.Name(), "step 4")
	mustRecord(t, l, 0, 3) // none of these has harmed the file
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	wantCurves(t, folder, 3)
	for name, err := range map[string]error{
		"Record": l.Record(stats(3)), "Scalar": l.Scalar("a", 1, 1), "Flush": l.Flush(), "Close": l.Close(),
	} {
		errortest.Want(t, err, l.Name(), "closed")
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: the cause of %v is not os.ErrClosed", name, err)
		}
	}
}

// full is a file on a disk without space, which shows once its buffer is full or flushed.
type full struct{ path string }

func (full) Write(p []byte) (int, error) { return len(p), nil }
func (f full) Flush() error              { return f.FlushBuffer() }
func (f full) FlushBuffer() error {
	return &os.PathError{Op: "write", Path: f.path, Err: syscall.ENOSPC}
}
func (f full) Close() error { return f.Flush() }
func (f full) Name() string { return f.path }

func TestFullDisk(t *testing.T) {
	l := newLog(full{"runs/events"}, time.Now)
	first := l.Record(stats(8))
	errortest.Want(t, first, "runs/events", "step 8", "no space")
	if again := l.Record(stats(9)); again != first {
		t.Errorf("then %v", again)
	}
	errortest.Want(t, l.Flush(), "runs/events", "no space")
	errortest.Want(t, l.Close(), "runs/events", "no space")
	errortest.Want(t, l.Close(), "runs/events", "closed")
}
