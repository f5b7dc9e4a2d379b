package datasets

import (
	"context"

	"github.com/apo-gorgonia/apo/trainers/text"
)

const multi30kAddress = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"

// multi30k has the sizes and sums of the unpacked files.
var multi30k = textSet{
	set: set{title: "Multi30k de-en", name: "multi30k", folders: []string{"multi30k", ""}},
	parts: []textPart{
		multi30kPart("train", 29000, "train",
			file{size: 2110398, sum: "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72"},
			file{size: 1801238, sum: "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6"}),
		multi30kPart("valid", 1014, "val",
			file{size: 75981, sum: "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660"},
			file{size: 63297, sum: "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227"}),
		multi30kPart("test2016", 1000, "test_2016_flickr",
			file{size: 70649, sum: "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16"},
			file{size: 62076, sum: "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182"}),
		multi30kPart("test2017", 1000, "test_2017_flickr",
			file{size: 64059, sum: "c3078bc3b36808bf9d20eb2347ed6137016179ef59ec0d2b9b8ecc3fb2880081"},
			file{size: 55242, sum: "ce1450ddc5ab0834502579d77a170849952e15a2938b34cc503bdc25ebb4fb98"}),
	},
	fetch: fetchFiles,
}

func multi30kPart(name string, pairs int, stem string, de, en file) textPart {
	part := textPart{name: name, whole: pairs, files: [2]file{de, en}}
	for i, language := range []string{".de", ".en"} {
		f := &part.files[i]
		f.name, f.text = stem+language, true
		f.urls = []string{multi30kAddress + f.name + ".gz"}
	}
	return part
}

// Multi30k returns the 29000 pairs for training, 1014 for choosing and the tests of 2016
// and 2017, of 1000 pairs each: descriptions of pictures, German as the source, English
// as the target, as plain text. Tokenized makes lower-case tokens of them by
// text.Tokenizer, with typographic signs made those of ASCII. Its files are train, val,
// test_2016_flickr and test_2017_flickr, each .de and .en.
//
// Errors: ErrNotFound, a damaged file, a cancelled context, and what is wrong in a text,
// with file and line, where WithoutChecksum takes files of one's own.
func Multi30k(ctx context.Context, opts ...Option) (Translation, error) {
	t, err := multi30k.load(ctx, newConfig(opts))
	if err != nil {
		return Translation{}, err
	}
	t.Source = &text.Tokenizer{Language: "de", Normalize: true, LowerCase: true}
	t.Target = &text.Tokenizer{Language: "en", Normalize: true, LowerCase: true}
	return t, nil
}
