// Package bleu scores translations by BLEU (Papineni, Roukos, Ward and Zhu, BLEU: a
// Method for Automatic Evaluation of Machine Translation, ACL 2002).
//
//	BLEU = 100 · BP · exp(¼·Σₙ log pₙ),  n = 1 … 4,  BP = min(1, exp(1 - r/h))
//
// pₙ is the share of the hypotheses' n-grams that the references have too, an n-gram
// counting at most as often as it is in the reference; h is the number of words of all
// hypotheses, r that of their references. With several references of a sentence, the one
// in which an n-gram is most frequent counts, and r has the length nearest to that of the
// hypothesis, of two equally near ones the shorter.
//
// Corpus gives what multi-bleu.perl and fairseq report for words as they are (fairseq
// lets <unk> in a reference match nothing; a reference in words has none). Plain gives
// sacreBLEU's score of plain text with its default settings: it divides by Tokenize13a
// and smooths by Exponential.
//
//	score, err := bleu.Corpus(hypotheses, references)
//	fmt.Println(score) // BLEU = 34.62, 68.3/42.4/28.6/19.7 (BP=1.000, …)
//
// What has no words or no matches has a rule: an empty hypothesis counts with no words
// and no n-grams, and shortens h; without any word, and without a match of any of the
// four orders, BLEU is 0. Exponential, which must be asked for, gives orders without a
// match half a match, a quarter, and so on. An empty reference adds nothing to r.
package bleu
