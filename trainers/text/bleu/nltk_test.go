package bleu

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/python"
)

// script is nltk's corpus_bleu of the corpora on its input, unsmoothed and smoothed by
// its method 3, which is Exponential.
const script = `
import json, sys, warnings
from nltk.translate.bleu_score import corpus_bleu, SmoothingFunction
warnings.simplefilter("ignore")
print(json.dumps([[corpus_bleu(list(map(list, zip(*c["References"]))), c["Hypotheses"], smoothing_function=s)
    for s in (None, SmoothingFunction().method3)] for c in json.load(sys.stdin)]))
`

// corpus is what is scored: References[k][i] is that of hypothesis i.
type corpus struct {
	name       string
	Hypotheses [][]string
	References [][][]string
}

// nltk are the scores by python3-nltk, from 0 to 1.
func nltk(t *testing.T, corpora []corpus) [][2]float64 {
	t.Helper()
	python := python.With(t.Context(), "nltk")
	if python == "" {
		t.Skip("skipped: no python3 with nltk on this machine (Debian's python3-nltk); stored values are tested by TestStoredValues")
	}
	input, err := json.Marshal(corpora)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(python, "-c", script)
	run.Stdin, run.Stderr = bytes.NewReader(input), os.Stderr
	out, err := run.Output()
	if err != nil {
		t.Fatal(err)
	}
	var scores [][2]float64
	if err := json.Unmarshal(out, &scores); err != nil {
		t.Fatal(err)
	}
	return scores
}

// inNLTK is the score in the way of nltk, whose denominator of an order is at least 1
// for each sentence, also for those that are too short for it: multi-bleu.perl, fairseq
// and sacreBLEU do not count these.
func inNLTK(t *testing.T, c corpus, smoothing Smoothing) float64 {
	t.Helper()
	counts, err := Count(c.Hypotheses, c.References...)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range c.Hypotheses {
		for n := range MaxOrder {
			if len(h) <= n {
				counts.Totals[n]++
			}
		}
	}
	return counts.Score(smoothing).BLEU / 100
}

// damaged are sentences with words lost, doubled, swapped and replaced.
func damaged(sentences [][]string, share float64, empties bool, seed uint64) [][]string {
	random := rand.New(rand.NewPCG(seed, 0))
	out := make([][]string, len(sentences))
	for i, sentence := range sentences {
		out[i] = []string{} // JSON's null is no sentence
		if empties && random.Float64() < 0.05 {
			continue
		}
		for _, word := range sentence {
			if random.Float64() >= share {
				out[i] = append(out[i], word)
				continue
			}
			switch random.IntN(4) {
			case 1:
				out[i] = append(out[i], word, word)
			case 2:
				out[i] = append(out[i], "the")
			case 3:
				out[i] = slices.Insert(out[i], max(0, len(out[i])-1), word)
			}
		}
	}
	return out
}

// lengthened are sentences with at least four words.
func lengthened(sentences [][]string) [][]string {
	out := slices.Clone(sentences)
	for i, s := range out {
		if len(s) < MaxOrder {
			out[i] = append(slices.Clone(s), "one", "two", "three", "four")
		}
	}
	return out
}

func compare(t *testing.T, corpora []corpus) {
	t.Helper()
	for i, scores := range nltk(t, corpora) {
		c := corpora[i]
		long := !slices.ContainsFunc(c.Hypotheses, func(h []string) bool { return len(h) < MaxOrder })
		for smoothing, want := range scores {
			if got := inNLTK(t, c, Smoothing(smoothing)); math.Abs(got-want) > 1e-9 {
				t.Errorf("%s, smoothing %d: got %.12f, nltk has %.12f", c.name, smoothing, got, want)
			}
			counts, err := Count(c.Hypotheses, c.References...)
			if got := counts.Score(Smoothing(smoothing)).BLEU / 100; err != nil || long && math.Abs(got-want) > 1e-9 {
				t.Errorf("%s, smoothing %d: got %.12f, %v, nltk has %.12f", c.name, smoothing, got, err, want)
			}
		}
	}
}

func TestEqualsNLTK(t *testing.T) {
	var sentences, others [][]string
	random := rand.New(rand.NewPCG(3, 0))
	words := strings.Fields("a b c d e f the the the cat sat on mat")
	for range 200 {
		var s, o []string
		for range 1 + random.IntN(12) {
			s, o = append(s, words[random.IntN(len(words))]), append(o, words[random.IntN(len(words))])
		}
		sentences, others = append(sentences, s), append(others, o[:1+random.IntN(len(o))])
	}
	one := func(name string, h [][]string, r ...[][]string) corpus { return corpus{name, h, r} }
	compare(t, []corpus{
		one("same", lengthened(sentences), sentences),
		one("damaged", lengthened(damaged(sentences, 0.3, false, 1)), sentences),
		one("short ones", damaged(sentences, 0.3, false, 1), sentences),
		one("two references", lengthened(damaged(sentences, 0.2, false, 2)), sentences, others),
		one("three references", damaged(sentences, 0.6, true, 2), sentences, others, damaged(sentences, 0.2, true, 3)),
		one("no 4-gram", split("a b c x y"), split("a b c d e")),
		one("no 3-gram", split("a b x c d", "e f y a b"), split("a b c d e", "a b e f")),
		one("no word", split("x y z w"), split("a b c d")),
		one("as near", [][]string{{"a", "b", "c", "d"}}, [][]string{{"a", "b", "c", "d", "e"}}, [][]string{{"b", "c", "d"}}),
	})
}

// TestSharedSets scores damaged copies of the references of IWSLT'14 and Multi30k.
func TestSharedSets(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short, some seconds of Python")
	}
	dir := os.Getenv("APO_DATA")
	var corpora []corpus
	for i, name := range []string{"iwslt14.tokenized.de-en/test.en.gz", "iwslt14.tokenized.de-en/test.de.gz", "multi30k/test_2016_flickr.en.gz", "multi30k/test_2017_flickr.de.gz"} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Skip("skipped: no iwslt14.tokenized.de-en and multi30k in the folder that APO_DATA names: ", err)
		}
		defer f.Close()
		gz, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(gz)
		if err != nil {
			t.Fatal(err)
		}
		var sentences [][]string
		for line := range strings.Lines(string(content)) {
			sentences = append(sentences, strings.Fields(line))
		}
		hypotheses := damaged(sentences, 0.2+0.1*float64(i), i%2 == 1, uint64(i))
		if i%2 == 0 { // the others have sentences that are too short for nltk's rule
			hypotheses = lengthened(hypotheses)
		}
		corpora = append(corpora, corpus{name, hypotheses, [][][]string{sentences}})
	}
	compare(t, corpora)
}
