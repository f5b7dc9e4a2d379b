package text

import "strings"

// Encoding makes ids of a line of text and text of ids.
type Encoding struct {
	// Tokenizer is for plain text; nil takes lines as tokens with spaces between.
	Tokenizer *Tokenizer
	// BPE divides words; nil leaves them whole.
	BPE *BPE
	// Vocabulary numbers the tokens.
	Vocabulary *Vocabulary
}

// Tokens are the tokens of a line.
func (e Encoding) Tokens(line string) []string {
	if e.Tokenizer != nil {
		line = e.Tokenizer.Tokenize(line)
	}
	if e.BPE != nil {
		line = e.BPE.Line(line)
	}
	return Tokens(line)
}

// Encode are the ids of a line, without <bos> and <eos>. A token that is not in the
// vocabulary is Unknown.
func (e Encoding) Encode(line string) []int { return e.Vocabulary.Encode(e.Tokens(line)) }

// EncodeAll are the ids of each line.
func (e Encoding) EncodeAll(lines []string) [][]int {
	all := make([][]int, len(lines))
	for i, line := range lines {
		all[i] = e.Encode(line)
	}
	return all
}

// Words are the words of ids, those before the first <eos>, with the parts of BPE put
// together: what BLEU compares. An id outside the vocabulary is an error.
func (e Encoding) Words(ids []int) ([]string, error) {
	tokens, err := e.Vocabulary.Decode(ids)
	if err != nil {
		return nil, err
	}
	if e.BPE == nil {
		return tokens, nil
	}
	return Tokens(UndoBPE(strings.Join(tokens, " "))), nil
}
