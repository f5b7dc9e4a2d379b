package main

import (
	"context"
	"io"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers/datasets"
	"github.com/apo-gorgonia/apo/trainers/durable"
	"github.com/apo-gorgonia/apo/trainers/text"
)

// The files of the words' parts in the folder of a run.
const (
	codesFile      = "codes"
	vocabularyFile = "vocabulary"
)

// corpus is the text of a run, as tokens with spaces between.
type corpus struct {
	train, valid, test text.Parallel
	codes              *text.Codes // nil where none came with the text
}

// tokenizer makes the tokens of a plain source.
var tokenizer = text.Tokenizer{Language: "de", Normalize: true, LowerCase: true}

// load reads the text and shows the progress of downloads.
func (s *settings) load(ctx context.Context, stderr io.Writer, source []datasets.Option) (c corpus, err error) {
	bar := cli.NewDownloads(stderr)
	defer bar.Close()
	opts := append([]datasets.Option{datasets.WithProgress(bar.Show)}, source...)
	if s.Data == "files" {
		c, err = s.files(opts)
	} else {
		load := datasets.Multi30k
		if s.Data == "iwslt14" {
			load = datasets.IWSLT14
		}
		var d datasets.Translation
		if d, err = load(ctx, opts...); err != nil {
			return c, err
		}
		d = d.Tokenized()
		c = corpus{d.Train, d.Valid, d.Tests[0], d.Codes}
	}
	if s.Limit > 0 {
		c.train = part(c.train, 0, min(s.Limit, c.train.Len()))
	}
	return c, err
}

// files divides two files of one's own: nine tenths for training, a twentieth each for
// validation and test.
func (s *settings) files(opts []datasets.Option) (corpus, error) {
	p, err := datasets.Parallel(s.Source, s.Target, opts...)
	if err != nil {
		return corpus{}, err
	}
	n := p.Len()
	if n < 20 {
		return corpus{}, errors.Errorf("%s has %d sentences, fewer than 20", s.Source, n)
	}
	target := text.Tokenizer{Language: "en", Normalize: true, LowerCase: true}
	p = p.Map(tokenizer.Tokenize, target.Tokenize)
	return corpus{part(p, 0, n*9/10), part(p, n*9/10, n*19/20), part(p, n*19/20, n), nil}, nil
}

// part are the pairs from lo to before hi.
func part(p text.Parallel, lo, hi int) text.Parallel {
	p.Source, p.Target = p.Source[lo:hi], p.Target[lo:hi]
	return p
}

// learnEncoding learns codes and vocabulary on the training set.
func (s *settings) learnEncoding(c corpus) (codes *text.Codes, e text.Encoding, err error) {
	codes = c.codes
	if codes == nil {
		var words text.Counts
		words.AddLines(c.train.Source...)
		words.AddLines(c.train.Target...)
		if codes, err = text.Learn(&words, s.Merges); err != nil {
			return nil, e, errors.WithMessage(err, "-merges")
		}
	}
	e = text.Encoding{BPE: text.NewBPE(codes)}
	var parts text.Counts
	for _, lines := range [][]string{c.train.Source, c.train.Target} {
		for _, line := range lines {
			parts.AddLines(e.BPE.Line(line))
		}
	}
	e.Vocabulary = text.NewVocabulary(&parts, 1)
	return codes, e, nil
}

// writeEncoding writes them to -out.
func (s *settings) writeEncoding(codes *text.Codes, e text.Encoding) error {
	for name, of := range map[string]io.WriterTo{codesFile: codes, vocabularyFile: e.Vocabulary} {
		if err := durable.Write(filepath.Join(s.out, name), func(w io.Writer) error {
			_, err := of.WriteTo(w)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// readEncoding reads codes and vocabulary of the run in -out.
func (s *settings) readEncoding() (e text.Encoding, err error) {
	path := filepath.Join(s.out, codesFile)
	content, err := datasets.TextFile(path)
	if err != nil {
		return e, err
	}
	codes, err := text.ParseCodes(path, content)
	if err != nil {
		return e, err
	}
	path = filepath.Join(s.out, vocabularyFile)
	if content, err = datasets.TextFile(path); err != nil {
		return e, err
	}
	e.BPE = text.NewBPE(codes)
	e.Vocabulary, err = text.ParseVocabulary(path, content)
	return e, err
}
