// Package text makes token ids of sentences and sentences of ids: tokens, byte-pair
// encoding, vocabularies and texts in two languages.
//
//	words := text.Tokenizer{Language: "de", LowerCase: true}.Tokenize(line)
//	codes, err := text.Learn(&counts, 6000)   // counts of words
//	bpe := text.NewBPE(codes)
//	parts := bpe.Line(words)                  // "ein sp@@ iel@@ haus"
//	vocabulary := text.NewVocabulary(&subwords, 1) // counts of parts
//	ids := vocabulary.Encode(text.Tokens(parts))
//
// Tokens stand in a line with one space between. Codes are those of subword-nmt, version
// 0.2, and are learned and applied to the same bytes. A Vocabulary begins with <pad>,
// <bos>, <eos> and <unk> (0 to 3); a token that it has not is <unk>, an id that it has
// not is an error. An Encoding joins all four. Parallel is a text in two languages; the
// package trainers/datasets loads IWSLT'14 and Multi30k as such, and any two files.
// Scores of translations are in trainers/text/bleu.
//
// Errors on files name the file and the line.
package text
