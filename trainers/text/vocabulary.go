package text

import (
	"io"

	"github.com/pkg/errors"
)

// The first ids of every vocabulary.
const (
	Padding = iota // <pad>, behind the end of shorter sentences
	Begin          // <bos>, before the first token of a sentence
	End            // <eos>, behind the last
	Unknown        // <unk>, a token that is not in the vocabulary
	// Special is their number, and the id of the most frequent token.
	Special
)

var special = [Special]string{"<pad>", "<bos>", "<eos>", "<unk>"}

// Vocabulary numbers tokens: 0 to 3 are <pad>, <bos>, <eos> and <unk>, 4 is the first
// token. It does not change, and may be used from several goroutines.
type Vocabulary struct {
	counts []Count // from id Special on
	ids    map[string]int
}

// NewVocabulary has the tokens that occur at least minimum times, from the most frequent
// down, those of equal frequency in the order of first occurrence. Tokens that are
// written like one of the special ones are left out: in a text they are unknown words.
func NewVocabulary(counts *Counts, minimum int) *Vocabulary {
	v := &Vocabulary{ids: map[string]int{}}
	for _, each := range counts.Sorted() {
		if each.N >= minimum && !isSpecial(each.Token) {
			v.add(each)
		}
	}
	return v
}

// ParseVocabulary reads what WriteTo writes, in the order of the file; vocabulary files
// of subword-nmt and dictionaries of fairseq are read too. The name is for errors, which
// name the line, as those of ParseCounts; a special token is one.
func ParseVocabulary(name string, content []byte) (*Vocabulary, error) {
	counts, err := ParseCounts(name, content)
	if err != nil {
		return nil, err
	}
	v := &Vocabulary{ids: map[string]int{}}
	for i, each := range counts.all {
		if isSpecial(each.Token) {
			return nil, errors.Errorf("text: vocabulary %s:%d: %s has an id of its own, and no line", name, i+1, each.Token)
		}
		v.add(each)
	}
	return v, nil
}

func (v *Vocabulary) add(each Count) {
	v.ids[each.Token] = v.Size()
	v.counts = append(v.counts, each)
}

func isSpecial(token string) bool {
	for _, s := range special {
		if token == s {
			return true
		}
	}
	return false
}

// WriteTo writes a line "token count" for each token but the special ones, in the order
// of their ids.
func (v *Vocabulary) WriteTo(w io.Writer) (int64, error) { return writeCounts(w, v.counts) }

// Size is the number of ids, the special ones among them.
func (v *Vocabulary) Size() int { return Special + len(v.counts) }

// ID is the id of a token, Unknown of one that is not in the vocabulary. A text cannot
// have special tokens: the word "<pad>" is unknown.
func (v *Vocabulary) ID(token string) int {
	if id, known := v.ids[token]; known {
		return id
	}
	return Unknown
}

// Token is that of an id. An id outside [0, Size) is an error.
func (v *Vocabulary) Token(id int) (string, error) {
	switch {
	case id < 0 || id >= v.Size():
		return "", errors.Errorf("text: id %d is outside the vocabulary of %d", id, v.Size())
	case id < Special:
		return special[id], nil
	}
	return v.counts[id-Special].Token, nil
}

// Encode are the ids of tokens, without <bos> and <eos>.
func (v *Vocabulary) Encode(tokens []string) []int {
	ids := make([]int, len(tokens))
	for i, token := range tokens {
		ids[i] = v.ID(token)
	}
	return ids
}

// Decode are the tokens of a sentence: those before the first <eos>, without <bos> and
// <pad>. An unknown one is "<unk>". An id outside the vocabulary is an error that names
// it and its place.
func (v *Vocabulary) Decode(ids []int) ([]string, error) {
	var tokens []string
	for i, id := range ids {
		if id == End {
			break
		}
		if id == Padding || id == Begin {
			continue
		}
		token, err := v.Token(id)
		if err != nil {
			return nil, errors.Wrapf(err, "text: token %d of %d", i+1, len(ids))
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}
