package cli

import (
	"bytes"
	"context"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

func TestExit(t *testing.T) {
	for _, test := range []struct {
		err  error
		code int
		text string
	}{
		{nil, OK, ""},
		{flag.ErrHelp, OK, ""},
		{errors.New("disk full"), Failed, "disk full\n"},
		{Usagef("-k %d", 3), Usage, "-k 3\n(-h lists the flags)\n"},
		{errors.Wrap(AsUsage(errors.New("bad")), "reading"), Usage, "reading: bad\n(-h lists the flags)\n"},
		{errors.Wrap(context.Canceled, "step 3"), Interrupted, "interrupted\n"},
		{AsUsage(nil), OK, ""},
		{errors.Wrap(WithCode(3, errors.New("they differ")), "diff"), 3, "diff: they differ\n"},
	} {
		var stderr bytes.Buffer
		if code := Exit(test.err, &stderr); code != test.code || stderr.String() != test.text {
			t.Errorf("%v: exit code %d, %q; want %d, %q", test.err, code, &stderr, test.code, test.text)
		}
	}
}

func TestParse(t *testing.T) {
	parse := func(args ...string) (n int, out string, err error) {
		var stdout bytes.Buffer
		fs := flag.NewFlagSet("program", flag.ContinueOnError)
		fs.IntVar(&n, "n", 7, "a number")
		err = Parse(fs, args, "About it.", &stdout)
		return n, stdout.String(), err
	}
	if n, out, err := parse("-n", "8"); n != 8 || out != "" || err != nil {
		t.Errorf("got %d, %q, %v", n, out, err)
	}
	if _, out, err := parse("-h"); !errors.Is(err, flag.ErrHelp) || !strings.HasPrefix(out, "About it.") || !strings.Contains(out, "a number (default 7)") {
		t.Errorf("-h: %v, %q", err, out)
	}
	for _, args := range [][]string{{"-n", "x"}, {"-m"}, {"-n", "1", "more"}} {
		_, out, err := parse(args...)
		if code := Exit(err, io.Discard); code != Usage || out != "" {
			t.Errorf("%v: exit code %d, %q", args, code, out)
		}
	}
}

// Names stand anywhere among the flags.
func TestParseNames(t *testing.T) {
	for _, args := range [][]string{{"a", "b", "-n", "8"}, {"-n", "8", "a", "b"}, {"a", "-n", "8", "b"}} {
		fs := flag.NewFlagSet("program", flag.ContinueOnError)
		n := fs.Int("n", 7, "a number")
		names, err := ParseNames(fs, args, "NAME...", "About it.", io.Discard)
		if err != nil || *n != 8 || !slices.Equal(names, []string{"a", "b"}) {
			t.Errorf("%v: %v, %d, %v", args, names, *n, err)
		}
	}
	var stdout bytes.Buffer
	fs := flag.NewFlagSet("program", flag.ContinueOnError)
	if _, err := ParseNames(fs, []string{"a", "-h"}, "NAME...", "About it.", &stdout); !errors.Is(err, flag.ErrHelp) || !strings.Contains(stdout.String(), "program [flags] NAME...") {
		t.Errorf("-h: %v, %q", err, &stdout)
	}
}

func TestProgressLines(t *testing.T) {
	var w bytes.Buffer
	p := NewProgress(&w, "task", 3)
	for step := range 3 {
		p.Show(step+1, 0.5)
	}
	p.Close()
	want := "task: 1 of 3 steps, loss 0.5000\ntask: 2 of 3 steps, loss 0.5000\ntask: 3 of 3 steps, loss 0.5000\n"
	if w.String() != want {
		t.Errorf("got %q", &w)
	}
	w.Reset()
	p = NewProgress(&w, "task", 1000)
	for step := range 1000 {
		p.Show(step+1, 0.5)
	}
	if n := strings.Count(w.String(), "\n"); n != lines {
		t.Errorf("%d lines, want %d", n, lines)
	}
}

func TestDownloadLines(t *testing.T) {
	var w bytes.Buffer
	b := NewBytes(&w, "file", 50<<20)
	for done := int64(0); done <= 50<<20; done += 1 << 20 {
		b.Show(done)
	}
	b.Close()
	if want := "file: 10 of 50 MB\n"; !strings.HasPrefix(w.String(), want) || strings.Count(w.String(), "\n") != lines {
		t.Errorf("got %q", &w)
	}
	w.Reset()
	b = NewBytes(&w, "file", -1)
	b.Show(5)
	b.Close()
	if w.Len() > 0 {
		t.Errorf("of unknown length: %q", &w)
	}
}

func TestDownloads(t *testing.T) {
	var w bytes.Buffer
	d := NewDownloads(&w)
	for _, name := range []string{"a", "b"} {
		d.Show(name, 1<<20, 2<<20)
		d.Show(name, 2<<20, 2<<20)
	}
	d.Close()
	want := "downloading a\na: 1 of 2 MB\na: 2 of 2 MB\ndownloading b\nb: 1 of 2 MB\nb: 2 of 2 MB\n"
	if w.String() != want {
		t.Errorf("got %q, want %q", &w, want)
	}
}

func TestCounts(t *testing.T) {
	var all []int
	set := Counts(&all, "a width")
	if err := set("3, 5"); err != nil || !slices.Equal(all, []int{3, 5}) {
		t.Errorf("got %v, %v", all, err)
	}
	for _, wrong := range []string{"", "3,", "0", "-1", "x"} {
		if err := set(wrong); err == nil || !strings.Contains(err.Error(), "is not a width") {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}
