package bleu_test

import (
	"fmt"
	"strings"

	"github.com/apo-gorgonia/apo/trainers/text/bleu"
)

func ExampleCorpus() {
	hypotheses := [][]string{strings.Fields("the cat sat on the the"), strings.Fields("a dog")}
	references := [][]string{strings.Fields("the cat sat on the mat"), strings.Fields("a dog barks loudly")}
	score, err := bleu.Corpus(hypotheses, references)
	fmt.Println(score, err)
	// Output:
	// BLEU = 60.52, 87.5/83.3/75.0/66.7 (BP=0.779, ratio=0.800, hyp_len=8, ref_len=10) <nil>
}

// Plain text as sacreBLEU scores it.
func ExamplePlain() {
	score, err := bleu.Plain([]string{"The cat (3.5 kg) sat there."}, []string{"The cat (3.5 kg) sits there."})
	fmt.Println(score, err)
	// Output:
	// BLEU = 66.06, 88.9/75.0/57.1/50.0 (BP=1.000, ratio=1.000, hyp_len=9, ref_len=9) <nil>
}

// Counts of parts of a text add up to those of the whole.
func ExampleCount() {
	words := func(line string) [][]string { return [][]string{bleu.Tokenize13a(line)} }
	counts, err := bleu.Count(words("The cat sat there."), words("The cat sat there."))
	if err != nil {
		fmt.Println(err)
		return
	}
	counts.Add(bleu.Tokenize13a("A dog barks."), bleu.Tokenize13a("A dog barks loudly."))
	fmt.Println(counts.Score(bleu.Exponential))
	// Output:
	// BLEU = 73.58, 100.0/85.7/80.0/66.7 (BP=0.895, ratio=0.900, hyp_len=9, ref_len=10)
}
