package bleu

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func split(lines ...string) [][]string {
	var all [][]string
	for _, line := range lines {
		all = append(all, strings.Fields(line))
	}
	return all
}

// TestStoredValues has scores that python3-nltk 3.8's corpus_bleu gives; the first is
// the example of its documentation.
func TestStoredValues(t *testing.T) {
	hypotheses := split("It is a guide to action which ensures that the military always obeys the commands of the party",
		"he read the book because he was interested in world history")
	references := [][][]string{
		split("It is a guide to action that ensures that the military will forever heed Party commands", "he was interested in world history because he read the book"),
		split("It is the guiding principle which guarantees the military forces always being under the command of the Party", "he was interested in world history because he read the book"),
		split("It is the practical guide for the army always to heed the directions of the party", "he was interested in world history because he read the book"),
	}
	for _, c := range []struct {
		references [][][]string
		want       float64
	}{{references, 0.5920778868801042}, {references[:1], 0.5314082679468591}, {references[1:2], 0.33631653441480447}} {
		score, err := Corpus(hypotheses, c.references...)
		if err != nil || math.Abs(score.BLEU-100*c.want) > 1e-9 {
			t.Errorf("%d references: got %.12f, %v, want %.12f", len(c.references), score.BLEU, err, 100*c.want)
		}
	}
}

// TestByHand counts a corpus of two sentences by hand.
func TestByHand(t *testing.T) {
	score, err := Corpus(split("the cat sat on the the", "a dog"), split("the cat sat on the mat", "a dog barks loudly"))
	if err != nil {
		t.Fatal(err)
	}
	want := Counts{Matches: [4]int{7, 5, 3, 2}, Totals: [4]int{8, 6, 4, 3}, Hypothesis: 8, Reference: 10}
	if score.Counts != want {
		t.Errorf("got %+v, want %+v", score.Counts, want)
	}
	bleu := 100 * math.Exp(1-10.0/8) * math.Pow(7.0/8*5/6*3/4*2/3, 0.25)
	if math.Abs(score.BLEU-bleu) > 1e-12 {
		t.Errorf("got %v, want %v", score.BLEU, bleu)
	}
	if got, want := score.String(), "BLEU = 60.52, 87.5/83.3/75.0/66.7 (BP=0.779, ratio=0.800, hyp_len=8, ref_len=10)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		why                    string
		hypotheses, references [][]string
		unsmoothed, smoothed   float64
	}{
		{"equal", split("a b c d"), split("a b c d"), 100, 100},
		{"longer has no penalty", split("a b c d e"), split("a b c d"), 100 * math.Pow(4.0/5*3/4*2/3*1/2, 0.25), 100 * math.Pow(4.0/5*3/4*2/3*1/2, 0.25)},
		{"brevity", split("a b c d"), split("a b c d e f g h"), 100 * math.Exp(-1), 100 * math.Exp(-1)},
		{"nothing at all", nil, nil, 0, 0},
		{"empty hypotheses", split("", ""), split("a b c d", "e"), 0, 0},
		{"one empty hypothesis", split("a b c d", ""), split("a b c d", "e f g h"), 100 * math.Exp(-1), 100 * math.Exp(-1)},
		{"no word matches", split("x y z w"), split("a b c d"), 0, 0},
		{"no 4-gram matches", split("a b c x"), split("a b c d"), 0, 100 * math.Pow(3.0/4*2/3*1/2*(1.0/2), 0.25)},
		{"no 3-gram and 4-gram match", split("a b x y"), split("a b c d"), 0, 100 * math.Pow(2.0/4*1/3*(1.0/2)/2*(1.0/4), 0.25)},
		{"no 4-gram in a hypothesis", split("a b c"), split("a b c"), 0, 0},
		{"empty reference", split("a b c d", "e"), split("a b c d", ""), 100 * math.Pow(4.0/5, 0.25), 100 * math.Pow(4.0/5, 0.25)},
	} {
		counts, err := Count(c.hypotheses, c.references)
		if err != nil {
			t.Fatal(err)
		}
		for smoothing, want := range map[Smoothing]float64{Unsmoothed: c.unsmoothed, Exponential: c.smoothed} {
			if got := counts.Score(smoothing).BLEU; math.Abs(got-want) > 1e-12 {
				t.Errorf("%s, smoothing %d: got %v, want %v", c.why, smoothing, got, want)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		references [][][]string
		want       string
	}{{nil, "no references"}, {[][][]string{split("a", "b"), split("a")}, "2 hypotheses, but 1 sentences in reference 2"}} {
		if _, err := Corpus(split("a", "b"), c.references...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestTokenize13a has lines as sacreBLEU's tokenizer 13a divides them: the values were
// made by its published substitutions, run by Python's re.
func TestTokenize13a(t *testing.T) {
	for line, want := range map[string]string{
		"Hello, world!":                                       "Hello , world !",
		"It's 1,000.5 kg, isn't it?":                          "It's 1,000.5 kg , isn't it ?",
		"state-of-the-art 3-year 1990-2000":                   "state-of-the-art 3 - year 1990 - 2000",
		"a,,b ..c ,d. 5. .5 5, ,5":                            "a , , b . . c , d . 5 . . 5 5 , , 5",
		"&quot;A &amp;lt; B&quot; &lt;tag&gt; <skipped>x":     "\" A < B \" < tag > x",
		"end-\nof line\nnext":                                 "endof line next",
		"(a) [b] {c} ~d^e_f`g @h #i $j %k *l +m =n /o \\p |q": "( a ) [ b ] { c } ~ d ^ e _ f ` g @ h # i $ j % k * l + m = n / o \\ p | q",
		"Straße über „Zitat“ – ja":                            "Straße über „Zitat“ – ja",
		"":                                                    "",
		"   ":                                                 "",
		"U.S. e.g. 3.14.15 1.":                                "U . S . e . g . 3.14.15 1 .",
		"''quoted'' it''s":                                    "''quoted'' it''s",
		"a.b,c;d:e":                                           "a . b , c ; d : e",
	} {
		if got := Tokenize13a(line); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

// TestPlain has two sentences, and half a match of the 4-grams.
func TestPlain(t *testing.T) {
	score, err := Plain([]string{"It's a dog, here.", "No"}, []string{"It's a cat, here.", "No!"})
	if err != nil {
		t.Fatal(err)
	}
	// It's a dog , here . No; of these It's a , here . No, two times two, one times three.
	want := Counts{Matches: [4]int{6, 3, 1, 0}, Totals: [4]int{7, 5, 4, 3}, Hypothesis: 7, Reference: 8}
	bleu := 100 * math.Exp(1-8.0/7) * math.Pow(6.0/7*3/5*1/4*(1.0/2)/3, 0.25)
	if score.Counts != want || math.Abs(score.BLEU-bleu) > 1e-12 {
		t.Errorf("got %+v, want %+v and %v", score, want, bleu)
	}
	if _, err := Plain([]string{"a"}, []string{"a", "b"}); err == nil {
		t.Error("other numbers of sentences")
	}
}
