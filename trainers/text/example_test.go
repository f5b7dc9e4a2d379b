package text_test

import (
	"fmt"
	"strings"

	"github.com/apo-gorgonia/apo/trainers/text"
)

func Example() {
	tokenizer := text.Tokenizer{Language: "en", LowerCase: true}
	lines := []string{"The lower, the newer.", "The newest is wider than the widest.", "It's low!"}
	var words text.Counts
	for _, line := range lines {
		words.AddLines(tokenizer.Tokenize(line))
	}
	codes, err := text.Learn(&words, 6)
	if err != nil {
		fmt.Println(err)
		return
	}
	bpe := text.NewBPE(codes)
	var parts text.Counts
	for _, line := range lines {
		parts.AddLines(bpe.Line(tokenizer.Tokenize(line)))
	}
	e := text.Encoding{Tokenizer: &tokenizer, BPE: bpe, Vocabulary: text.NewVocabulary(&parts, 1)}
	line := "It's the lowest!"
	fmt.Println(strings.Join(e.Tokens(line), " "))
	ids := e.Encode(line)
	fmt.Println(ids)
	back, err := e.Words(append(ids, text.End, text.Padding))
	fmt.Println(text.Detokenize(strings.Join(back, " ")), err)
	// Output:
	// i@@ t '@@ s the l@@ o@@ we@@ s@@ t !
	// [13 6 22 14 4 7 8 17 12 6 24]
	// it's the lowest! <nil>
}
