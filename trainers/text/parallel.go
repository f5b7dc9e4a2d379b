package text

import (
	"fmt"
	"strings"

	"github.com/pkg/errors"
)

// Parallel is a text in two languages, sentence for sentence.
type Parallel struct {
	// Title names it, as "IWSLT'14 de-en, train".
	Title string
	// Source and Target are the sentences; Source[i] is translated as Target[i].
	Source, Target []string
	// Whole is the number of pairs that the published text has, 0 if it is not known.
	Whole int
	// LeftOut is the number of pairs that Limits left out.
	LeftOut int
}

// File is the content of a file, whose name is for errors.
type File struct {
	Name    string
	Content []byte
}

// Limits say which sentences are taken. The zero value takes all but empty ones, which
// are errors.
type Limits struct {
	// MaxTokens is the largest number of tokens, 0 for no limit.
	MaxTokens int
	// LeaveOut leaves out, and counts, a pair of which a sentence is empty or too long.
	// Otherwise it is an error that names file and line.
	LeaveOut bool
}

// NewParallel pairs the lines of two files. White space at the ends of lines is cut.
// Different numbers of lines are an error, and so is what Lines and limits refuse; all
// name file and line.
func NewParallel(title string, source, target File, limits Limits) (Parallel, error) {
	p := Parallel{Title: title}
	var sides [2][]string
	for i, f := range []File{source, target} {
		lines, err := Lines(f.Name, f.Content)
		if err != nil {
			return p, errors.Wrapf(err, "text: %s", title)
		}
		sides[i] = lines
	}
	if len(sides[0]) != len(sides[1]) {
		names, counts := [2]string{source.Name, target.Name}, [2]int{len(sides[0]), len(sides[1])}
		long, short := 0, 1
		if counts[1] > counts[0] {
			long, short = 1, 0
		}
		return p, errors.Errorf("text: %s: %s has %d lines, %s has %d: %s:%d has no counterpart",
			title, names[0], counts[0], names[1], counts[1], names[long], counts[short]+1)
	}
	for i := range sides[0] {
		pair := [2]string{strings.TrimSpace(sides[0][i]), strings.TrimSpace(sides[1][i])}
		why := ""
		for k, f := range []File{source, target} {
			if fault := limits.fault(pair[k]); fault != "" && why == "" {
				why = fmt.Sprintf("%s:%d: %s", f.Name, i+1, fault)
			}
		}
		switch {
		case why == "":
			p.Source, p.Target = append(p.Source, pair[0]), append(p.Target, pair[1])
		case limits.LeaveOut:
			p.LeftOut++
		default:
			return p, errors.Errorf("text: %s: %s", title, why)
		}
	}
	return p, nil
}

// fault is why a sentence is not taken, "" if it is.
func (l Limits) fault(sentence string) string {
	if sentence == "" {
		return "an empty sentence"
	}
	if n := len(Tokens(sentence)); l.MaxTokens > 0 && n > l.MaxTokens {
		return fmt.Sprintf("a sentence of %d tokens, more than %d", n, l.MaxTokens)
	}
	return ""
}

// Len is the number of pairs.
func (p Parallel) Len() int { return len(p.Source) }

// Map is p with every sentence changed, as by a tokeniser or by BPE.Line.
func (p Parallel) Map(source, target func(string) string) Parallel {
	p.Source, p.Target = mapped(p.Source, source), mapped(p.Target, target)
	return p
}

func mapped(sentences []string, f func(string) string) []string {
	out := make([]string, len(sentences))
	for i, s := range sentences {
		out[i] = f(s)
	}
	return out
}

// String says how much of the text this is: "IWSLT'14 de-en, train: 11044 of 160239
// pairs".
func (p Parallel) String() string {
	s := fmt.Sprintf("%s: %d", p.Title, p.Len())
	if p.Whole > 0 && p.Whole != p.Len() {
		s += fmt.Sprintf(" of %d", p.Whole)
	}
	s += " pairs"
	if p.LeftOut > 0 {
		s += fmt.Sprintf(", %d left out", p.LeftOut)
	}
	return s
}
