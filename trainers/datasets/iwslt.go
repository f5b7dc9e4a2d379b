package datasets

import (
	"context"

	"github.com/apo-gorgonia/apo/trainers/text"
	"github.com/pkg/errors"
)

var iwslt14 = textSet{
	set: set{
		title: "IWSLT'14 de-en", name: "iwslt14", folders: []string{"iwslt14.tokenized.de-en", "iwslt14", ""},
		note: "they are what fairseq's prepare-iwslt14.sh leaves",
	},
	parts: []textPart{iwslt14Part("train", 160239), iwslt14Part("valid", 7283), iwslt14Part("test", 6750)},
	codes: file{name: "code", text: true},
	fetch: fetchIWSLT14,
}

func iwslt14Part(name string, pairs int) textPart {
	part := textPart{name: name, whole: pairs}
	for i, language := range []string{".de", ".en"} {
		part.files[i] = file{name: name + language, aliases: []string{name + ".bpe" + language}, text: true}
	}
	return part
}

// IWSLT14 returns the talks of the IWSLT evaluation of 2014, German as the source,
// English as the target: lower-cased tokens with spaces between, as fairseq's
// prepare-iwslt14.sh leaves them in the folder iwslt14.tokenized.de-en in the files
// train, valid and test, each .de and .en or .bpe.de and .bpe.en. Byte-pair encoding in
// them is undone; with the file code beside them, Codes are those that were applied, and
// BPE with these gives the same bytes again. No sums are published: the files are taken
// as they are, and String says how many of the published 160239, 7283 and 6750 pairs
// these are.
//
// What is downloaded (fairseq's copy of de-en.tgz) is prepared by the steps of that
// script: the lines of the talks, tokens by text.Tokenizer, without pairs of more than
// 175 tokens or of which one has more than 1.5 times as many as the other; every 23rd
// pair is for choosing; the tests are those of 2010 to 2012. As the abbreviations of
// text.Tokenizer are fewer than Moses', a few tokens, and so a few pairs, are others than
// in the published files. The codes are not learned: there are none.
//
// Errors: ErrNotFound, a damaged file, a cancelled context, and what is wrong in a text,
// with file and line.
func IWSLT14(ctx context.Context, opts ...Option) (Translation, error) {
	t, err := iwslt14.load(ctx, newConfig(opts))
	if err != nil {
		return Translation{}, err
	}
	return t, nil
}

// iwslt14Raw is the published archive: the training text with tags, then the tests.
var iwslt14Raw = rawArchive("http://dl.fbaipublicfiles.com/fairseq/data/iwslt14/de-en.tgz")

func rawArchive(address string) archive {
	a := archive{name: "de-en.tgz", urls: []string{address}}
	for _, stem := range []string{"train.tags.de-en", "IWSLT14.TED.dev2010.de-en", "IWSLT14.TEDX.dev2012.de-en", "IWSLT14.TED.tst2010.de-en",
		"IWSLT14.TED.tst2011.de-en", "IWSLT14.TED.tst2012.de-en"} {
		ending := ".xml"
		if len(a.files) == 0 {
			ending = ""
		}
		a.files = append(a.files, file{name: stem + ".de" + ending, text: true}, file{name: stem + ".en" + ending, text: true})
	}
	return a
}

// fetchIWSLT14 downloads the archive and stores what is made of it.
func fetchIWSLT14(ctx context.Context, c *config, s textSet) (all bool, failures []string, err error) {
	folder, err := c.cacheFolder(s.set)
	if err != nil {
		return false, nil, errors.Wrapf(err, "datasets: %s: downloading %s", s.title, iwslt14Raw.name)
	}
	for _, address := range iwslt14Raw.urls {
		raw, err := c.get(ctx, address, iwslt14Raw.name)
		if ctx.Err() != nil {
			return false, nil, errors.Wrapf(ctx.Err(), "datasets: %s: downloading %s", s.title, iwslt14Raw.name)
		}
		var made map[string][]byte
		if err == nil {
			made, err = prepareIWSLT14(raw)
		}
		if err != nil {
			failures = append(failures, address+" ("+err.Error()+")")
			continue
		}
		for _, part := range s.parts {
			for _, f := range part.files {
				if err := store(folder, f.name, made[f.name]); err != nil {
					return false, nil, errors.Wrapf(err, "datasets: storing %s", f.name)
				}
			}
		}
		return true, nil, nil
	}
	return false, failures, nil
}

// prepareIWSLT14 makes the six files of the archive.
func prepareIWSLT14(raw []byte) (map[string][]byte, error) {
	contents := make([][]byte, len(iwslt14Raw.files))
	err := iwslt14Raw.extract(raw, true, func(i int, content []byte) error {
		contents[i] = content
		return nil
	})
	if err != nil {
		return nil, err
	}
	var train, tests [2][]string
	for i, content := range contents {
		name, side := iwslt14Raw.files[i].name, i%2
		lines, err := text.Lines(name, content)
		if err != nil {
			return nil, err
		}
		tokenizer := text.Tokenizer{Language: []string{"de", "en"}[side], LowerCase: true, Escape: true}
		if i < 2 {
			train[side] = tokenized(untagged(lines), tokenizer)
		} else {
			tests[side] = append(tests[side], tokenized(segments(lines), tokenizer)...)
		}
		if side == 1 && (len(train[0]) != len(train[1]) || len(tests[0]) != len(tests[1])) {
			return nil, errors.Errorf("%s and %s have different numbers of sentences", iwslt14Raw.files[i-1].name, name)
		}
	}
	made := map[string][]byte{}
	put := func(name, de, en string) {
		made[name+".de"] = append(append(made[name+".de"], de...), '\n')
		made[name+".en"] = append(append(made[name+".en"], en...), '\n')
	}
	pairs := 0
	for i := range train[0] {
		de, en := train[0][i], train[1][i]
		if !isClean(de, en) {
			continue
		}
		if pairs++; pairs%23 == 0 {
			put("valid", de, en)
		} else {
			put("train", de, en)
		}
	}
	for i := range tests[0] {
		put("test", tests[0][i], tests[1][i])
	}
	return made, nil
}
