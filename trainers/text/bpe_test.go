package text

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files of testdata other than small.txt and other.txt were made by the algorithms
// of subword-nmt 0.3.8, run by Python 3.11 with its default settings:
//
//	learn-bpe -s 300 < small.txt > small.codes
//	apply-bpe -c small.codes < X.txt > X.bpe
//	get-vocab < small.bpe > small.vocab
//	apply-bpe -c small.codes --vocabulary small.vocab --vocabulary-threshold 2 < X.txt > X.within2.bpe

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func lines(t *testing.T, name string, content []byte) []string {
	t.Helper()
	all, err := Lines(name, content)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func smallCodes(t *testing.T) *Codes {
	t.Helper()
	codes, err := ParseCodes("small.codes", read(t, "small.codes"))
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

// applied are the lines of text after f, as a file.
func applied(all []string, f func(string) string) string {
	var out strings.Builder
	for _, line := range all {
		out.WriteString(f(line) + "\n")
	}
	return out.String()
}

func TestLearnEqualsSubwordNMT(t *testing.T) {
	var words Counts
	words.AddLines(lines(t, "small.txt", read(t, "small.txt"))...)
	codes, err := Learn(&words, 300)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := codes.WriteTo(&got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), read(t, "small.codes")) {
		t.Errorf("other codes:\n%s", got.String())
	}
}

func TestApplyEqualsSubwordNMT(t *testing.T) {
	bpe := NewBPE(smallCodes(t))
	vocabulary, err := ParseCounts("small.vocab", read(t, "small.vocab"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ending string
		apply  *BPE
	}{{".bpe", bpe}, {".within2.bpe", bpe.Within(vocabulary, 2)}} {
		for _, name := range []string{"small", "other"} {
			all := lines(t, name, read(t, name+".txt"))
			got := applied(all, c.apply.Line)
			if got != string(read(t, name+c.ending)) {
				t.Errorf("%s%s: got\n%s", name, c.ending, got)
			}
			for i, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
				if words := strings.Fields(line); UndoBPE(strings.Join(words, " ")) != strings.Join(strings.Fields(all[i]), " ") && !strings.Contains(line, "@@@") {
					t.Errorf("%s: %q undone is %q", name, line, UndoBPE(line))
				}
			}
		}
	}
}

func TestCountsEqualGetVocab(t *testing.T) {
	var counts Counts
	counts.AddLines(lines(t, "small.bpe", read(t, "small.bpe"))...)
	var got bytes.Buffer
	if _, err := counts.WriteTo(&got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), read(t, "small.vocab")) {
		t.Errorf("got\n%s", got.String())
	}
	again, err := ParseCounts("small.vocab", got.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if again.Len() != counts.Len() || again.Of("the") != counts.Of("the") || again.Of("nowhere") != 0 {
		t.Error("the file read has other counts")
	}
}

// TestLearnByHand follows the published algorithm (Sennrich, Haddow and Birch 2016,
// Algorithm 1) on its own dictionary. "e s" and "es t</w>" are in newest and widest, 9
// times; the rest is by hand.
func TestLearnByHand(t *testing.T) {
	var words Counts
	for word, n := range map[string]int{"low": 5, "lower": 2, "newest": 6, "widest": 3} {
		words.Add(word, n)
	}
	codes, err := Learn(&words, 4)
	if err != nil {
		t.Fatal(err)
	}
	// After "s t</w>" (of the pairs with 9 the last in order) and "e st</w>", "l o" is
	// with 7 the most frequent, then "w est</w>" and "n e" and "e w" have 6.
	want := []Merge{{"s", "t</w>"}, {"e", "st</w>"}, {"l", "o"}, {"w", "est</w>"}}
	for i := range want {
		if codes.Merges[i] != want[i] {
			t.Errorf("merge %d is %v, want %v", i, codes.Merges[i], want[i])
		}
	}
	if got := NewBPE(codes).Line("lowest slow st"); got != "lo@@ west s@@ lo@@ w st" {
		t.Errorf("got %q", got)
	}
}

// TestSharedText undoes the codes that subword-nmt applied to the whole of IWSLT'14's
// valid and test sets, and applies them again.
func TestSharedText(t *testing.T) {
	dir := filepath.Join(os.Getenv("APO_DATA"), "iwslt14.tokenized.de-en")
	content, err := os.ReadFile(filepath.Join(dir, "code"))
	if err != nil {
		t.Skip("skipped: no file code in iwslt14.tokenized.de-en in the folder that APO_DATA names; ",
			"TestApplyEqualsSubwordNMT tests the same on a small text: ", err)
	}
	codes, err := ParseCodes("code", content)
	if err != nil {
		t.Fatal(err)
	}
	bpe := NewBPE(codes)
	for _, name := range []string{"valid.bpe.de", "valid.bpe.en", "test.bpe.de", "test.bpe.en"} {
		want := unzipped(t, filepath.Join(dir, name+".gz"))
		plain := unzipped(t, filepath.Join(dir, strings.Replace(name, ".bpe", "", 1)+".gz"))
		all := lines(t, name, want)
		if got := applied(all, UndoBPE); got != string(plain) {
			t.Errorf("%s: BPE undone is not the plain text", name)
		}
		if got := applied(lines(t, name, plain), bpe.Line); got != string(want) {
			t.Errorf("%s: other than what subword-nmt gives", name)
		}
	}
}

func unzipped(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCodesThatAreNone(t *testing.T) {
	for _, c := range []struct{ why, content, want string }{
		{"empty", "", "x:1: empty"},
		{"version 0.1", "#version: 0.1\na b\n", `x:1: got "#version: 0.1", want "#version: 0.2"`},
		{"version 0.3", "#version: 0.3\na b\n", "x:1: got"},
		{"bytes", "#version: 0.2 byte\na b\n", "x:1: got"},
		{"no version", "a b\n", "x:1: got"},
		{"three symbols", "#version: 0.2\na b\na b c\n", "x:3: got"},
		{"one symbol", "#version: 0.2\na\n", "x:2: got"},
		{"a line between", "#version: 0.2\n\na b\n", "x:2: got"},
		{"not UTF-8", "#version: 0.2\na b\na \xff\n", "x:3: byte 3 is not UTF-8"},
	} {
		_, err := ParseCodes("x", []byte(c.content))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.why, err, c.want)
		}
	}
	codes, err := ParseCodes("x", []byte("#version: 0.2\r\na b\r\n\n"))
	if err != nil || len(codes.Merges) != 1 {
		t.Errorf("line ends of Windows: got %v, %v", codes, err)
	}
}

func TestVocabulariesThatAreNone(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{"a 1\nb\n", "x:2: got"}, {"a 1\nb c 3\n", "x:2: got"}, {"a -1\n", "x:1: got"}, {"a 1\na 2\n", `x:2: "a" occurs a second time`},
		{"a 1\nb 2\xc3\n", "x:2: byte 4 is not UTF-8"}, {" 3\n", "x:1: got"},
	} {
		if _, err := ParseCounts("x", []byte(c.content)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.content, err, c.want)
		}
	}
}

func TestLearnRefusals(t *testing.T) {
	if _, err := Learn(&Counts{}, -1); err == nil {
		t.Error("-1 merges")
	}
	codes, err := Learn(&Counts{}, 5)
	if err != nil || len(codes.Merges) != 0 {
		t.Errorf("no words: got %v, %v", codes, err)
	}
	var single Counts
	single.Add("a", 100)
	if codes, err := Learn(&single, 5); err != nil || len(codes.Merges) != 0 {
		t.Errorf("a word of one character: got %v, %v", codes, err)
	}
}

// FuzzApply holds that what is divided can be put together again, whatever the text.
func FuzzApply(f *testing.F) {
	codes, err := os.ReadFile("testdata/small.codes")
	if err != nil {
		f.Fatal(err)
	}
	parsed, err := ParseCodes("small.codes", codes)
	if err != nil {
		f.Fatal(err)
	}
	bpe := NewBPE(parsed)
	f.Add("the banana x</w> ä \xff")
	f.Fuzz(func(t *testing.T, word string) {
		if strings.ContainsAny(word, blank) || word == "" {
			return
		}
		var joined strings.Builder
		parts := bpe.Apply([]string{word})
		for i, part := range parts {
			if i < len(parts)-1 {
				part = strings.TrimSuffix(part, Separator)
			}
			joined.WriteString(part)
		}
		if joined.String() != word {
			t.Errorf("%q became %q", word, parts)
		}
	})
}
