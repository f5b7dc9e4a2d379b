package text

import (
	"io"
	"strings"

	"github.com/pkg/errors"
)

const (
	// version is the first line of a code file.
	version = "#version: 0.2"
	// wordEnd is a part of the last symbol of a word.
	wordEnd = "</w>"
	// Separator ends a part of a word that is not its last.
	Separator = "@@"
)

// Merge is a pair of symbols that byte-pair encoding makes one. The last symbol of a
// word ends with "</w>".
type Merge struct{ Left, Right string }

// Codes are the merges of a byte-pair encoding, in the order in which they were learned.
type Codes struct{ Merges []Merge }

// ParseCodes reads a code file of subword-nmt: the line "#version: 0.2", then a merge a
// line, its two symbols with a space between. The name is for errors, which name the
// line. Other versions are refused: a file of 0.1, which has no such line, ends words in
// another way, one of bytes has other symbols.
func ParseCodes(name string, content []byte) (*Codes, error) {
	lines, err := Lines(name, content)
	if err != nil {
		return nil, errors.Wrap(err, "text: codes")
	}
	if len(lines) == 0 {
		return nil, errors.Errorf("text: codes %s:1: empty, want %q", name, version)
	}
	if first := strings.Trim(lines[0], blank); first != version {
		return nil, errors.Errorf("text: codes %s:1: got %q, want %q: other versions are not read, and one of 0.1 has no such line",
			name, shortened(first), version)
	}
	c := &Codes{Merges: make([]Merge, 0, len(lines)-1)}
	for len(lines) > 1 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines[1:] {
		left, right, found := strings.Cut(strings.Trim(line, blank), " ")
		if !found || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, errors.Errorf("text: codes %s:%d: got %q, want two symbols with a space between", name, i+2, shortened(line))
		}
		c.Merges = append(c.Merges, Merge{left, right})
	}
	return c, nil
}

// WriteTo writes a code file, as subword-nmt's learn-bpe does.
func (c *Codes) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	b.WriteString(version + "\n")
	for _, m := range c.Merges {
		b.WriteString(m.Left + " " + m.Right + "\n")
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), errors.Wrap(err, "text: writing codes")
}
