package text

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// blank are the characters that are cut from the ends of a line, as subword-nmt does.
const blank = "\r\n "

// Lines are the lines of a file of text, without their ends (\n or \r\n). Only \n ends
// a line: Unicode's other line separators stay in it. The first three bytes may be a
// byte order mark, which is left out. A line that is not UTF-8 is an error that names
// the file, the line and the byte; so is one with a zero byte, which is UTF-16 as a rule.
func Lines(name string, content []byte) ([]string, error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if len(content) == 0 {
		return nil, nil
	}
	content = bytes.TrimSuffix(content, []byte{'\n'})
	lines := make([]string, 0, bytes.Count(content, []byte{'\n'})+1)
	for line := range bytes.SplitSeq(content, []byte{'\n'}) {
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if at := invalid(line); at >= 0 {
			return nil, errors.Errorf("%s:%d: byte %d is not UTF-8", name, len(lines)+1, at+1)
		}
		if bytes.IndexByte(line, 0) >= 0 {
			return nil, errors.Errorf("%s:%d: a zero byte, which text has not", name, len(lines)+1)
		}
		lines = append(lines, string(line))
	}
	return lines, nil
}

// invalid is the place of the first byte that is not UTF-8, -1 if there is none.
func invalid(line []byte) int {
	if utf8.Valid(line) {
		return -1
	}
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// Tokens are the tokens of a line: what lies between spaces. Other white space, such as
// a no-break space, may be a part of a token.
func Tokens(line string) []string {
	var tokens []string
	for token := range strings.SplitSeq(strings.Trim(line, blank), " ") {
		if token != "" {
			tokens = append(tokens, token)
		}
	}
	return tokens
}
