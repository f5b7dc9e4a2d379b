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

// The files of subword-nmt: codes, and how often each part of a word occurs.
func ExampleParseCodes() {
	codes, err := text.ParseCodes("codes.bpe", []byte("#version: 0.2\nl o\nlo w</w>\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	vocabulary, err := text.ParseVocabulary("vocab.txt", []byte("low 5\nlo@@ 2\nw@@ 1\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	parts := text.NewBPE(codes).Line("low lower")
	fmt.Println(parts)
	fmt.Println(vocabulary.Encode(text.Tokens(parts)))
	fmt.Println(text.UndoBPE(parts))
	// Output:
	// low lo@@ w@@ e@@ r
	// [4 5 6 3 3]
	// low lower
}

// A vocabulary file says how often tokens occur.
func ExampleParseCounts() {
	counts, err := text.ParseCounts("vocab.txt", []byte("the 20\nlow 5\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	counts.AddLines("the lowest")
	for _, c := range counts.Sorted() {
		fmt.Println(c.Token, c.N)
	}
	// Output:
	// the 21
	// low 5
	// lowest 1
}

// A text in two languages, without pairs of which a sentence is empty or longer than four
// tokens.
func ExampleNewParallel() {
	de := text.File{Name: "train.de", Content: []byte("ein hund\n\nzwei\n")}
	en := text.File{Name: "train.en", Content: []byte("a dog\nnothing\nthe number that follows one\n")}
	pairs, err := text.NewParallel("pets", de, en, text.Limits{MaxTokens: 4, LeaveOut: true})
	fmt.Println(pairs, err)

	lines, err := text.Lines(en.Name, en.Content)
	fmt.Println(len(lines), "lines", err)
	// Output:
	// pets: 1 pairs, 2 left out <nil>
	// 3 lines <nil>
}
