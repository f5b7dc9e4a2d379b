package text

import (
	"slices"
	"strings"
	"testing"
)

func file(name, content string) File { return File{name, []byte(content)} }

func TestParallel(t *testing.T) {
	p, err := NewParallel("pair", file("a.de", "\ufeffein hund .\r\n zwei  katzen \n"), file("a.en", "a dog .\ntwo cats"), Limits{MaxTokens: 3})
	if err != nil || !slices.Equal(p.Source, []string{"ein hund .", "zwei  katzen"}) || !slices.Equal(p.Target, []string{"a dog .", "two cats"}) {
		t.Errorf("got %+v, %v", p, err)
	}
	p.Whole = 5
	if got := p.String(); got != "pair: 2 of 5 pairs" {
		t.Errorf("got %s", got)
	}
	up := p.Map(strings.ToUpper, strings.TrimSpace)
	if up.Source[0] != "EIN HUND ." || up.Target[1] != "two cats" || p.Source[0] != "ein hund ." || up.Whole != 5 {
		t.Errorf("got %+v of %+v", up, p)
	}
	p, err = NewParallel("pair", file("a.de", "a b c d\n\ne\nf\n"), file("a.en", "a\nb\n \nf\n"), Limits{MaxTokens: 3, LeaveOut: true})
	if err != nil || !slices.Equal(p.Source, []string{"f"}) || p.String() != "pair: 1 pairs, 3 left out" {
		t.Errorf("got %v, %v", p, err)
	}
	if p, err := NewParallel("nothing", file("a", ""), file("b", ""), Limits{}); err != nil || p.Len() != 0 {
		t.Errorf("empty files: got %v, %v", p, err)
	}
}

// TestParallelRefusals has an error that names file and line for each fault.
func TestParallelRefusals(t *testing.T) {
	for _, c := range []struct{ source, target, want string }{
		{"a\nb\nc\n", "a\nb\n", "a.de has 3 lines, a.en has 2: a.de:3 has no counterpart"},
		{"a\n", "a\nb\n", "a.de has 1 lines, a.en has 2: a.en:2 has no counterpart"},
		{"a\n", "", "a.de:1 has no counterpart"},
		{"a\nb\xffb\n", "a\nb\n", "a.de:2: byte 2 is not UTF-8"},
		{"a\nb\n", "a\nb\xc3", "a.en:2: byte 2 is not UTF-8"},
		{"a\nb\n", "a\nb\x00\n", "a.en:2: a zero byte"},
		{"a\n\nc\n", "a\nb\nc\n", "a.de:2: an empty sentence"},
		{"a\nb\nc\n", "a\nb\n \t\n", "a.en:3: an empty sentence"},
		{"a b c\na b c d\n", "a\nb\n", "a.de:2: a sentence of 4 tokens, more than 3"},
	} {
		_, err := NewParallel("pair", file("a.de", c.source), file("a.en", c.target), Limits{MaxTokens: 3})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q and %q: got %v, want %s", c.source, c.target, err, c.want)
		}
	}
}
