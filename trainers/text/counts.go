package text

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// Count is a token with the number of times it occurs.
type Count struct {
	Token string
	N     int
}

// Counts says how often each token occurs. The zero value is empty and ready.
type Counts struct {
	at  map[string]int
	all []Count // in the order of first occurrence
}

// Add counts token n times more.
func (c *Counts) Add(token string, n int) {
	i, known := c.at[token]
	if !known {
		if c.at == nil {
			c.at = map[string]int{}
		}
		i = len(c.all)
		c.at[token] = i
		c.all = append(c.all, Count{Token: token})
	}
	c.all[i].N += n
}

// AddLines counts the tokens of lines.
func (c *Counts) AddLines(lines ...string) {
	for _, line := range lines {
		for _, token := range Tokens(line) {
			c.Add(token, 1)
		}
	}
}

// Of is how often token occurs.
func (c *Counts) Of(token string) int {
	if i, known := c.at[token]; known {
		return c.all[i].N
	}
	return 0
}

// Len is the number of different tokens.
func (c *Counts) Len() int { return len(c.all) }

// Sorted are the tokens from the most frequent down, those of equal frequency in the
// order of first occurrence.
func (c *Counts) Sorted() []Count {
	all := slices.Clone(c.all)
	slices.SortStableFunc(all, func(a, b Count) int { return b.N - a.N })
	return all
}

// WriteTo writes a vocabulary file as subword-nmt's get-vocab does: a line "token
// count" for each, in the order of Sorted.
func (c *Counts) WriteTo(w io.Writer) (int64, error) { return writeCounts(w, c.Sorted()) }

func writeCounts(w io.Writer, all []Count) (int64, error) {
	var b strings.Builder
	for _, each := range all {
		fmt.Fprintf(&b, "%s %d\n", each.Token, each.N)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), errors.Wrap(err, "text: writing a vocabulary")
}

// ParseCounts reads a vocabulary file, as WriteTo, subword-nmt and fairseq write it:
// lines "token count". The name is for errors, which name the line: a line of another
// form, a negative count, a token that occurs twice.
func ParseCounts(name string, content []byte) (*Counts, error) {
	lines, err := Lines(name, content)
	if err != nil {
		return nil, errors.Wrap(err, "text: vocabulary")
	}
	c := &Counts{}
	for i, line := range lines {
		token, number, found := strings.Cut(strings.Trim(line, blank), " ")
		n, err := strconv.Atoi(number)
		if !found || err != nil || n < 0 {
			return nil, errors.Errorf("text: vocabulary %s:%d: got %q, want a token, a space and its count", name, i+1, shortened(line))
		}
		if _, twice := c.at[token]; twice {
			return nil, errors.Errorf("text: vocabulary %s:%d: %q occurs a second time", name, i+1, token)
		}
		c.Add(token, n)
	}
	return c, nil
}

// shortened is the beginning of a line, for messages.
func shortened(line string) string {
	const most = 60
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + "…"
	}
	return line
}
