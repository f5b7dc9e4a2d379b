package datasets

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
	"github.com/apo-gorgonia/apo/trainers/text"
)

// address answers every request with the same body, or with an error without one.
type address struct{ body []byte }

func (a address) RoundTrip(*http.Request) (*http.Response, error) {
	if a.body == nil {
		return nil, errors.New("no network")
	}
	return &http.Response{StatusCode: http.StatusOK, ContentLength: int64(len(a.body)), Body: io.NopCloser(bytes.NewReader(a.body))}, nil
}

func withBody(body []byte) Option { return WithHTTPClient(&http.Client{Transport: address{body}}) }

// writeTexts puts files, pairs of name and content, into a new folder.
func writeTexts(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		content := []byte(files[i+1])
		if strings.HasSuffix(files[i], ".gz") {
			content = gzipped(t, files[i+1])
		}
		writeFile(t, filepath.Join(dir, files[i]), content)
	}
	return dir
}

var talks = []string{
	"train.de.gz", "ein haus .\nzwei häuser .\n", "train.en", "a house .\ntwo houses .\n",
	"valid.bpe.de", "ein ha@@ us\n", "valid.bpe.en.gz", "a ho@@ use\n",
	"test.de", "das\n", "test.en", "that\n",
	"code", "#version: 0.2\nh o\nu s</w>\n",
}

func TestIWSLT14(t *testing.T) {
	dir := writeTexts(t, talks...)
	got, err := IWSLT14(t.Context(), WithDir(dir), WithoutDownload())
	if err != nil {
		t.Fatal(err)
	}
	if want := "IWSLT'14 de-en, train: 2 of 160239 pairs; IWSLT'14 de-en, valid: 1 of 7283 pairs; IWSLT'14 de-en, test: 1 of 6750 pairs"; got.String() != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got.Valid.Source[0] != "ein haus" || got.Valid.Target[0] != "a house" || got.Train.Target[1] != "two houses ." || got.Codes == nil || len(got.Codes.Merges) != 2 {
		t.Errorf("got %+v", got)
	}
	if same := got.Tokenized(); same.Source != nil || same.Train.Source[1] != "zwei häuser ." {
		t.Errorf("tokens became %+v", same)
	}
	if err := os.Remove(filepath.Join(dir, "code")); err != nil {
		t.Fatal(err)
	}
	if got, err := IWSLT14(t.Context(), WithDir(dir), WithoutDownload()); err != nil || got.Codes != nil {
		t.Errorf("without codes: got %v, %v", got.Codes, err)
	}
}

func TestIWSLT14Errors(t *testing.T) {
	replaced := func(name, by, content string) []string {
		files := slices.Clone(talks)
		i := slices.Index(files, name)
		files[i], files[i+1] = by, content
		return files
	}
	for _, c := range []struct {
		files []string
		want  string
	}{
		{replaced("train.en", "train.en", "a\n"), "train.de.gz:2 has no counterpart"},
		{replaced("test.en", "test.en", "\xfe\n"), "test.en:1: byte 1 is not UTF-8"},
		{replaced("test.en", "test.en", "\n"), "test.en:1: an empty sentence"},
		{replaced("code", "code", "#version: 0.1\n"), "code:1: got"},
	} {
		_, err := IWSLT14(t.Context(), WithDir(writeTexts(t, c.files...)), WithCacheDir(t.TempDir()), WithoutDownload())
		errortest.Want(t, err, c.want)
	}
	dir := writeTexts(t, talks...)
	_, err := IWSLT14(t.Context(), WithDir(dir), WithoutDownload(), WithLimits(text.Limits{MaxTokens: 2}))
	errortest.Want(t, err, "train.de.gz:1: a sentence of 3 tokens, more than 2")
	got, err := IWSLT14(t.Context(), WithDir(dir), WithoutDownload(), WithLimits(text.Limits{MaxTokens: 2, LeaveOut: true}))
	if err != nil || got.Train.Len() != 0 || got.Train.LeftOut != 2 || got.Valid.Len() != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = IWSLT14(t.Context(), WithDir(t.TempDir()), WithCacheDir(t.TempDir()), withBody(nil))
	errortest.Want(t, err, "train.de", "test.en", "no network", "prepare-iwslt14.sh", iwslt14Raw.urls[0])
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("%v is not ErrNotFound", err)
	}
	var none context.Context
	_, err = IWSLT14(none)
	errortest.Want(t, err, "nil context")
}

// TestIWSLT14Download has an archive in the published form, of 30 pairs and a test of
// one pair a year.
func TestIWSLT14Download(t *testing.T) {
	var members []string
	for i, language := range []string{"de", "en"} {
		word := []string{"Wort", "word"}[i]
		lines := "<url>http://x</url>\n<keywords>a, b</keywords>\n<talkid>1</talkid>\n<title>" + word + " (1): it's</title>\n"
		lines += strings.Repeat("Ein "+word+", u.s.w.\n", 29)
		lines += word + strings.Repeat(" "+word, 10*i) + "\n" // 1 to 11, which is left out
		members = append(members, "de-en/train.tags.de-en."+language, lines)
		for _, test := range iwslt14Raw.files[2:] {
			if strings.HasSuffix(test.name, "."+language+".xml") {
				members = append(members, "de-en/"+test.name, "<doc>\n<seg id=\"1\"> "+word+"’s "+test.name[:14]+" </seg>\n</doc>\n")
			}
		}
	}
	cache := t.TempDir()
	got, err := IWSLT14(t.Context(), WithDir(t.TempDir()), WithCacheDir(cache), withBody(tarred(t, members...)))
	if err != nil {
		t.Fatal(err)
	}
	if got.Train.Len() != 29 || got.Valid.Len() != 1 || got.Tests[0].Len() != 5 {
		t.Errorf("got %v", got)
	}
	if got.Train.Source[0] != "wort ( 1 ) : it &apos; s" || got.Train.Target[0] != "word ( 1 ) : it &apos;s" || got.Valid.Target[0] != "ein word , u.s.w ." {
		t.Errorf("got %q, %q, %q", got.Train.Source[0], got.Train.Target[0], got.Valid.Target[0])
	}
	if want := []string{"word &apos;s iwslt14.ted.de", "word &apos;s iwslt14.tedx.d"}; !slices.Equal(got.Tests[0].Target[:2], want) {
		t.Errorf("got %q", got.Tests[0].Target)
	}
	again, err := IWSLT14(t.Context(), WithDir(t.TempDir()), WithCacheDir(cache), WithoutDownload())
	if err != nil || again.String() != got.String() {
		t.Errorf("from the cache: got %v, %v", again, err)
	}
	short := slices.Clone(members)
	short[1] += "one more\n"
	for why, c := range map[string]struct {
		body []byte
		want string
	}{
		"a file missing": {tarred(t, members[2:]...), "does not hold train.tags.de-en.de"},
		"cut short":      {tarred(t, members...)[:200], "truncated"},
		"other numbers":  {tarred(t, short...), "different numbers of sentences"},
	} {
		cache := t.TempDir()
		_, err := IWSLT14(t.Context(), WithDir(t.TempDir()), WithCacheDir(cache), withBody(c.body))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", why, err, c.want)
		}
		wantNoFiles(t, cache)
	}
}

func TestMulti30kOfOnesOwn(t *testing.T) {
	files := []string{"train.de", "Zwei „Männer“.\n", "train.en.gz", "Two \"men\".\n", "val.de", "a\n", "val.en", "It's.\n",
		"test_2016_flickr.de", "b\n", "test_2016_flickr.en", "c\n", "test_2017_flickr.de", "d\n", "test_2017_flickr.en", "e\n"}
	dir := writeTexts(t, files...)
	_, err := Multi30k(t.Context(), WithDir(dir), WithoutDownload())
	errortest.Want(t, err, "train.de", "bytes of content, want 2110398")
	got, err := Multi30k(t.Context(), WithDir(dir), WithoutDownload(), WithoutChecksum())
	if err != nil {
		t.Fatal(err)
	}
	tokens := got.Tokenized()
	if got.Train.Source[0] != "Zwei „Männer“." || tokens.Train.Source[0] != `zwei " männer " .` || tokens.Valid.Target[0] != "it 's ." || tokens.Tests[1].Target[0] != "e" {
		t.Errorf("got %+v, tokens %+v", got, tokens)
	}
	// The download brings each file; here all are the same, and none is the published one.
	_, err = Multi30k(t.Context(), WithDir(t.TempDir()), WithCacheDir(t.TempDir()), withBody([]byte("a\n")))
	errortest.Want(t, err, multi30kAddress+"train.de.gz", "2 bytes of content, want 2110398")
}

func TestParallelFiles(t *testing.T) {
	long := strings.Repeat("a sentence of the file\n", 3000)
	dir := writeTexts(t, "a.de.gz", long, "a.en", long, "b.en", "x\n", "utf16.en", "\xff\xfea\x00\n\x00")
	packed, err := os.ReadFile(filepath.Join(dir, "a.de.gz"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "cut.de.gz"), packed[:len(packed)-30])
	flipped := bytes.Clone(packed)
	flipped[len(flipped)-6] ^= 1 // in the CRC
	writeFile(t, filepath.Join(dir, "flipped.de.gz"), flipped)
	got, err := Parallel(filepath.Join(dir, "a.de.gz"), filepath.Join(dir, "a.en"))
	if err != nil || got.String() != "a.de.gz and a.en: 3000 pairs" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, c := range []struct{ source, target, want string }{
		{"a.de.gz", "b.en", "a.de.gz:2 has no counterpart"},
		{"cut.de.gz", "a.en", "cut.de.gz: gzip: line "},
		{"flipped.de.gz", "a.en", "flipped.de.gz: gzip: line 3001: gzip: invalid checksum"},
		{"a.de.gz", "utf16.en", "utf16.en:1: byte 1 is not UTF-8"},
		{"missing.de", "a.en", "missing.de"},
		{".", "a.en", "is not a regular file"},
	} {
		_, err := Parallel(filepath.Join(dir, c.source), filepath.Join(dir, c.target))
		errortest.Want(t, err, c.want)
	}
}

// TestSharedTexts loads the texts that lie in the folder APO_DATA.
func TestSharedTexts(t *testing.T) {
	dir := os.Getenv(dirVariable)
	for _, name := range []string{"iwslt14.tokenized.de-en", "multi30k"} {
		if _, err := os.Stat(filepath.Join(dir, name)); dir == "" || err != nil {
			t.Skip("skipped: no folder ", name, " in the one that APO_DATA names")
		}
	}
	pictures, err := Multi30k(t.Context(), WithoutDownload())
	if err != nil {
		t.Fatal(err)
	}
	if want := "Multi30k de-en, train: 29000 pairs; Multi30k de-en, valid: 1014 pairs; Multi30k de-en, test2016: 1000 pairs; Multi30k de-en, test2017: 1000 pairs"; pictures.String() != want {
		t.Errorf("got %s, want %s", pictures, want)
	}
	if got, want := pictures.Tokenized().Train.Target[0], "two young , white males are outside near many bushes ."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	talks, err := IWSLT14(t.Context(), WithoutDownload())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []text.Parallel{talks.Valid, talks.Tests[0]} {
		if p.Len() != p.Whole {
			t.Errorf("got %s", p)
		}
	}
	if talks.Train.Len() < 11044 {
		t.Errorf("got %s", talks.Train)
	}
	t.Log(talks)
}
