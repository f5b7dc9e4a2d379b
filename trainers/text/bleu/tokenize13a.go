package bleu

import (
	"regexp"
	"strings"
)

// entities are undone in this order, one after the other.
var entities = [][2]string{{"&quot;", `"`}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}}

// splits put spaces around what stands for itself, one after the other.
var splits = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile("([{-~\\[-` -&(-+:-@/])"), " $1 "},
	{regexp.MustCompile(`([^0-9])([.,])`), "$1 $2 "},
	{regexp.MustCompile(`([.,])([^0-9])`), " $1 $2"},
	{regexp.MustCompile(`([0-9])(-)`), "$1 $2 "},
}

// Tokenize13a divides plain text into words as sacreBLEU's tokenizer 13a and
// mteval-v13a.pl do. Case stays. The entities of quotation mark, ampersand, less and
// greater are undone. ASCII's punctuation stands for itself, but an apostrophe and a
// hyphen only behind a digit, a full stop and a comma unless between digits.
func Tokenize13a(line string) []string {
	line = strings.ReplaceAll(line, "<skipped>", "")
	line = strings.ReplaceAll(line, "-\n", "")
	line = strings.ReplaceAll(line, "\n", " ")
	for _, e := range entities {
		line = strings.ReplaceAll(line, e[0], e[1])
	}
	line = " " + line + " "
	for _, s := range splits {
		line = s.what.ReplaceAllString(line, s.with)
	}
	return strings.Fields(line)
}
