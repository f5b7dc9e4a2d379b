package live

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// terminal is what a terminal makes of the text that is written to it. It fails the test at
// control sequences other than those that leave nothing to restore.
type terminal struct {
	t              *testing.T
	columns, lines int
	reflows        bool // breaks lines anew when the number of columns changes
	rows           []row
	y, x           int
	writes         int
	each           func() // after each character
	pending        string // an unfinished control sequence
}

type row struct {
	text    []rune
	wrapped bool // goes on in the next row
}

func newTerminal(t *testing.T, columns, lines int) *terminal {
	return &terminal{t: t, columns: columns, lines: lines, rows: make([]row, 1)}
}

// Write implements io.Writer.
func (e *terminal) Write(p []byte) (int, error) {
	e.writes++
	for _, r := range string(p) {
		e.put(r)
		if e.each != nil && e.pending == "" {
			e.each()
		}
	}
	return len(p), nil
}

func (e *terminal) put(r rune) {
	switch {
	case e.pending != "":
		e.pending += string(r)
		if r >= '@' && r != '[' {
			e.control(strings.TrimPrefix(e.pending, "\x1b["))
			e.pending = ""
		}
	case r == '\x1b':
		e.pending = "\x1b"
	case r == '\r':
		e.x = 0
	case r == '\n':
		e.down()
	default:
		if e.x == e.columns {
			e.rows[e.y].wrapped = true
			e.down()
			e.x = 0
		}
		text := &e.rows[e.y].text
		for len(*text) <= e.x {
			*text = append(*text, ' ')
		}
		(*text)[e.x] = r
		e.x++
	}
}

func (e *terminal) down() {
	if e.y++; e.y == len(e.rows) {
		e.rows = append(e.rows, row{})
	}
}

func (e *terminal) control(sequence string) {
	number, kind := sequence[:len(sequence)-1], sequence[len(sequence)-1]
	switch {
	case kind == 'A':
		n, err := strconv.Atoi(number)
		if err != nil {
			e.t.Fatalf("control sequence %q", sequence)
		}
		e.y = max(e.y-n, len(e.rows)-e.lines, 0) // what has scrolled out is out of reach
	case sequence == "K":
		e.rows[e.y].text = e.rows[e.y].text[:min(e.x, len(e.rows[e.y].text))]
	case sequence == "J":
		e.rows[e.y].text = e.rows[e.y].text[:min(e.x, len(e.rows[e.y].text))]
		e.rows = e.rows[:e.y+1]
	default:
		e.t.Fatalf("control sequence %q", sequence)
	}
}

// resize changes the number of columns, with the cursor in an empty row at the end.
func (e *terminal) resize(columns, lines int) {
	e.columns, e.lines = columns, lines
	var all []row
	var joined []rune
	for _, r := range e.rows {
		if !e.reflows {
			all = append(all, row{r.text[:min(len(r.text), columns)], false})
			continue
		}
		if joined = append(joined, r.text...); r.wrapped {
			continue
		}
		for len(joined) > columns {
			all, joined = append(all, row{slices.Clone(joined[:columns]), true}), joined[columns:]
		}
		all, joined = append(all, row{slices.Clone(joined), false}), nil
	}
	e.rows, e.y, e.x = all, len(all)-1, 0
}

// text are the rows, those that have scrolled out included, without blanks at their ends.
func (e *terminal) text() (all []string) {
	for _, r := range e.rows {
		all = append(all, strings.TrimRight(string(r.text), " "))
	}
	return all
}
