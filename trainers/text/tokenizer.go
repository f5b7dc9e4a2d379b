package text

import (
	"strings"
	"unicode"
)

// Tokenizer divides plain text into tokens with spaces between, by these of the rules of
// Moses' tokenizer.perl, in this order:
//
//  1. White space becomes one space, control characters are left out.
//  2. What is no letter, digit, full stop, comma, apostrophe, backquote or hyphen stands
//     for itself: "(a/b)" is "( a / b )", but "well-known" stays.
//  3. Two and more full stops are one token.
//  4. A comma stands for itself, unless it is between two digits: "1,000".
//  5. In English an apostrophe between letters, or before the s of "1990's", begins a
//     token: "it's" is "it 's", "don't" is "don 't". Elsewhere, and in other languages
//     everywhere, it stands for itself.
//  6. A full stop at the end of a word stands for itself at the end of the text. Before
//     another word it stays where the word has a letter and a full stop within ("e.g."),
//     is an abbreviation or a single capital letter, or where the next word begins with a
//     small letter, and, behind the abbreviation of "number" or in German a number of one
//     or two digits, where the next begins with a digit, or a letter for the latter
//     ("am 3. Mai").
//
// The abbreviations are those in abbreviations.go. Tokenize gives the same for the same
// text, always. The zero value does just this for a language other than English and
// German.
type Tokenizer struct {
	// Language is "en", "de", or another, which has no abbreviations.
	Language string
	// Normalize makes typographic quotation marks, apostrophes, dashes and the ellipsis
	// those of ASCII before.
	Normalize bool
	// LowerCase makes all letters small, after.
	LowerCase bool
	// Escape writes & | < > ' " [ ] as Moses does: &amp; &#124; &lt; &gt; &apos; &quot;
	// &#91; &#93;.
	Escape bool
}

// Tokenize is the text of line as tokens with a space between.
func (t Tokenizer) Tokenize(line string) string {
	if t.Normalize {
		line = normalize.Replace(line)
	}
	text := apart(line)
	if t.Language == "en" {
		text = apostrophes(text)
	} else {
		text = alone(text, '\'')
	}
	words := strings.Fields(string(text))
	var out strings.Builder
	for i, word := range words {
		if i > 0 {
			out.WriteByte(' ')
		}
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		if before, found := strings.CutSuffix(word, "."); found && strings.Trim(before, ".") != "" && !t.keepsStop(before, next) {
			word = before + " ."
		}
		out.WriteString(word)
	}
	tokens := out.String()
	if t.LowerCase {
		tokens = strings.ToLower(tokens)
	}
	if t.Escape {
		tokens = escape.Replace(tokens)
	}
	return tokens
}

var normalize = strings.NewReplacer("„", `"`, "“", `"`, "”", `"`, "«", `"`, "»", `"`, "‘", "'", "’", "'", "‚", "'", "`", "'", "´", "'",
	"–", "-", "—", " - ", "…", "...")

var escape = strings.NewReplacer("&", "&amp;", "|", "&#124;", "<", "&lt;", ">", "&gt;", "'", "&apos;", `"`, "&quot;", "[", "&#91;", "]", "&#93;")

// apart puts spaces around what rules 2 to 4 set apart. The text begins and ends with a
// space.
func apart(line string) []rune {
	in := []rune(strings.Map(printable, line))
	out := make([]rune, 1, len(in)+len(in)/4+2)
	out[0] = ' '
	for i := 0; i < len(in); i++ {
		r := in[i]
		switch {
		case r == ' ':
			out = append(out, r)
		case r == '.':
			stops := 1
			for i+stops < len(in) && in[i+stops] == '.' {
				stops++
			}
			i += stops - 1
			if stops == 1 {
				out = append(out, r)
				continue
			}
			out = append(out, ' ')
			for range stops {
				out = append(out, r)
			}
			out = append(out, ' ')
		case r == ',':
			if i > 0 && i+1 < len(in) && inNumber(in[i-1]) && inNumber(in[i+1]) {
				out = append(out, r)
			} else {
				out = append(out, ' ', r, ' ')
			}
		case isAlphanumeric(r) || r == '\'' || r == '`' || r == '-':
			out = append(out, r)
		default:
			out = append(out, ' ', r, ' ')
		}
	}
	return append(out, ' ')
}

// printable is rule 1, -1 for what is left out.
func printable(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case r < ' ':
		return -1
	}
	return r
}

// isAlphabetic and isAlphanumeric are Unicode's classes, as Perl has them.
func isAlphabetic(r rune) bool {
	return unicode.IsLetter(r) || r > unicode.MaxASCII && unicode.In(r, unicode.Nl, unicode.Other_Alphabetic)
}

func isAlphanumeric(r rune) bool { return isAlphabetic(r) || unicode.IsDigit(r) }

// inNumber tells digits, but not "½", which stands for itself.
func inNumber(r rune) bool { return unicode.IsNumber(r) && isAlphanumeric(r) }

// alone puts spaces around every r.
func alone(text []rune, what rune) []rune {
	out := make([]rune, 0, len(text))
	for _, r := range text {
		if r == what {
			out = append(out, ' ', r, ' ')
		} else {
			out = append(out, r)
		}
	}
	return out
}

// apostrophes is rule 5, for English. Of "a'b'c" only the first is set apart, for Moses
// has used the b.
func apostrophes(text []rune) []rune {
	other := func(r rune) bool { return !isAlphabetic(r) }
	sign := func(r rune) bool { return !isAlphabetic(r) && !unicode.IsNumber(r) }
	small := func(r rune) bool { return r == 's' }
	for _, rule := range []struct {
		before, after func(rune) bool
		alone         bool
	}{{other, other, true}, {sign, isAlphabetic, true}, {isAlphabetic, other, true}, {isAlphabetic, isAlphabetic, false}, {unicode.IsNumber, small, false}} {
		out := make([]rune, 0, len(text)+8)
		for i := 0; i < len(text); i++ {
			out = append(out, text[i])
			if i+2 >= len(text) || text[i+1] != '\'' || !rule.before(text[i]) || !rule.after(text[i+2]) {
				continue
			}
			out = append(out, ' ', '\'')
			if rule.alone {
				out = append(out, ' ')
			}
			out = append(out, text[i+2])
			i += 2
		}
		text = out
	}
	return text
}

// keepsStop is rule 6: whether the full stop behind a word stays there. Next is "" at
// the end of the text.
func (t Tokenizer) keepsStop(word, next string) bool {
	if next == "" {
		return false
	}
	first := []rune(next)[0]
	switch {
	case strings.Contains(word, ".") && strings.IndexFunc(word, isAlphabetic) >= 0, unicode.In(first, unicode.Ll, unicode.Other_Lowercase):
		return true
	}
	switch abbreviations[t.Language][word] {
	case always:
		return true
	case beforeNumber:
		return '0' <= first && first <= '9'
	}
	return t.Language == "de" && isOrdinal(word) || (t.Language == "de" || t.Language == "en") && len(word) == 1 && 'A' <= word[0] && word[0] <= 'Z'
}

// isOrdinal tells 1 to 99, which with a full stop is an ordinal number in German.
func isOrdinal(word string) bool {
	if len(word) > 2 || word[0] == '0' {
		return false
	}
	return strings.Trim(word, "0123456789") == ""
}
