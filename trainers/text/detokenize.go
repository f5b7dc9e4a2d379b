package text

import "strings"

var unescape = strings.NewReplacer("&amp;", "&", "&#124;", "|", "&lt;", "<", "&gt;", ">", "&apos;", "'", "&quot;", `"`, "&#91;", "[", "&#93;", "]")

const (
	// closing tokens stand at the word before, opening ones at the word behind.
	closing = ".,;:!?%)]}"
	opening = "([{$€£"
	quotes  = `"'`
)

// Detokenize makes plain text of tokens with spaces between, for people to read: what
// Escape wrote is undone; commas, full stops and other closing signs stand at the word
// before, opening brackets and signs of currency at the word behind, quotation marks
// and single apostrophes by turns at the word behind and the word before; "it 's" is
// "it's". Case stays as it is.
func Detokenize(tokens string) string {
	var out strings.Builder
	space := false              // whether one comes before the next token
	open := [len(quotes)]bool{} // the quotation marks
	for token := range strings.FieldsSeq(unescape.Replace(tokens)) {
		before, after := true, true
		switch mark := strings.Index(quotes, token); {
		case mark >= 0:
			before, after = !open[mark], open[mark]
			open[mark] = !open[mark]
		case strings.Trim(token, closing) == "", len(token) > 1 && token[0] == '\'' && !strings.HasPrefix(token, "''"):
			before = false
		case len(token) > 0 && strings.Contains(opening, token):
			after = false
		}
		if space && before {
			out.WriteByte(' ')
		}
		out.WriteString(token)
		space = after
	}
	return out.String()
}
