package datasets

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/apo-gorgonia/apo/trainers/text"
	"github.com/pkg/errors"
)

// Translation is a text in two languages, divided for training and testing.
type Translation struct {
	// Train and Valid are for training and for choosing, Tests the tests, of which the
	// first is the usual one.
	Train, Valid text.Parallel
	Tests        []text.Parallel
	// Source and Target make tokens of the sentences, which are plain text. Both are nil
	// where these are tokens with spaces between already.
	Source, Target *text.Tokenizer
	// Codes are those that came with the text, nil if none did.
	Codes *text.Codes
}

// Tokenized is t as tokens with spaces between.
func (t Translation) Tokenized() Translation {
	if t.Source == nil {
		return t
	}
	tokens := func(p text.Parallel) text.Parallel { return p.Map(t.Source.Tokenize, t.Target.Tokenize) }
	tests := make([]text.Parallel, len(t.Tests))
	for i, test := range t.Tests {
		tests[i] = tokens(test)
	}
	t.Train, t.Valid, t.Tests, t.Source, t.Target = tokens(t.Train), tokens(t.Valid), tests, nil, nil
	return t
}

// String says how much of each part is there.
func (t Translation) String() string {
	parts := []string{t.Train.String(), t.Valid.String()}
	for _, test := range t.Tests {
		parts = append(parts, test.String())
	}
	return strings.Join(parts, "; ")
}

// Parallel loads any two files of text, sentence i of one being translated as sentence i
// of the other, plain or gzipped. WithLimits says which sentences are taken; the other
// options do not concern it.
//
// Errors name file and line: different numbers of lines, an empty or too long sentence,
// what is not UTF-8, a gzip that is cut short.
func Parallel(source, target string, opts ...Option) (text.Parallel, error) {
	var files [2]text.File
	for i, path := range []string{source, target} {
		content, err := TextFile(path)
		if err != nil {
			return text.Parallel{}, err
		}
		files[i] = text.File{Name: path, Content: content}
	}
	p, err := text.NewParallel(filepath.Base(source)+" and "+filepath.Base(target), files[0], files[1], newConfig(opts).limits)
	return p, errors.Wrap(err, "datasets")
}

// TextFile is the content of a file of text, as of codes or a vocabulary, plain or
// gzipped.
func TextFile(path string) ([]byte, error) {
	raw, err := readFile(path)
	if err != nil {
		return nil, errors.Wrap(err, "datasets")
	}
	content, err := unpack(raw, file{name: filepath.Base(path), text: true}, maxBytes)
	return content, errors.Wrapf(err, "datasets: %s", path)
}

// textPart is one part of a translation set: its pairs in the published text and its
// two files.
type textPart struct {
	name  string
	whole int
	files [2]file
}

// textSet is a set of such parts, the first for training, the second for choosing.
type textSet struct {
	set
	parts []textPart
	// codes may lie beside the files, to which they may have been applied.
	codes file
	// fetch puts the files into the cache, as source.download does.
	fetch func(ctx context.Context, c *config, s textSet) (all bool, failures []string, err error)
}

// load takes all parts from the first place that has them.
func (s textSet) load(ctx context.Context, c *config) (Translation, error) {
	var t Translation
	var names []string
	for _, part := range s.parts {
		names = append(names, part.files[0].name, part.files[1].name)
	}
	err := c.find(ctx, s.set, source{
		names: strings.Join(names, ", ") + " (each also .gz)",
		from: func(folder string) (all bool, err error) {
			t, all, err = s.from(c, folder)
			return all, err
		},
		download: func(ctx context.Context) (bool, []string, error) {
			all, failures, err := s.fetch(ctx, c, s)
			if !all || err != nil {
				return false, failures, err
			}
			cache, err := c.cacheFolder(s.set)
			if err == nil {
				t, all, err = s.from(c, cache)
			}
			return all, nil, err
		},
	})
	return t, err
}

// from takes all parts from one folder. Where byte-pair encoding was applied it is
// undone.
func (s textSet) from(c *config, folder string) (t Translation, all bool, err error) {
	contents := make([][2]text.File, len(s.parts))
	for i, part := range s.parts {
		for k, f := range part.files {
			content, path, err := c.open(folder, f, f.limit(!c.skipChecksum))
			if content == nil || err != nil {
				return t, false, err
			}
			if s.codes.name != "" {
				content = []byte(text.UndoBPE(string(content)))
			}
			contents[i][k] = text.File{Name: path, Content: content}
		}
	}
	for i, part := range s.parts {
		p, err := text.NewParallel(fmt.Sprintf("%s, %s", s.title, part.name), contents[i][0], contents[i][1], c.limits)
		if err != nil {
			return t, false, errors.Wrap(err, "datasets")
		}
		p.Whole = part.whole
		switch i {
		case 0:
			t.Train = p
		case 1:
			t.Valid = p
		default:
			t.Tests = append(t.Tests, p)
		}
	}
	if s.codes.name == "" {
		return t, true, nil
	}
	content, path, err := c.open(folder, s.codes, s.codes.limit(false))
	if content == nil || err != nil {
		return t, err == nil, err
	}
	t.Codes, err = text.ParseCodes(path, content)
	return t, err == nil, errors.Wrap(err, "datasets")
}

// fetchFiles downloads file by file.
func fetchFiles(ctx context.Context, c *config, s textSet) (all bool, failures []string, err error) {
	for _, part := range s.parts {
		for _, f := range part.files {
			found, failed, err := c.download(ctx, s.set, f, func([]byte) error { return nil })
			if !found || err != nil {
				return false, failed, err
			}
		}
	}
	return true, nil, nil
}
