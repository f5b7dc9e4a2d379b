package text

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

func smallEncoding(t testing.TB, codes []byte, lines []string) Encoding {
	t.Helper()
	parsed, err := ParseCodes("codes", codes)
	if err != nil {
		t.Fatal(err)
	}
	bpe := NewBPE(parsed)
	var parts Counts
	for _, line := range lines {
		parts.AddLines(bpe.Line(line))
	}
	return Encoding{BPE: bpe, Vocabulary: NewVocabulary(&parts, 1)}
}

// TestEncoding goes from lines to ids and back.
func TestEncoding(t *testing.T) {
	all := lines(t, "small.txt", read(t, "small.txt"))
	e := smallEncoding(t, read(t, "small.codes"), all)
	for i, ids := range e.EncodeAll(all) {
		if slices.Contains(ids, Unknown) {
			t.Errorf("line %d has unknown tokens", i+1)
		}
		words, err := e.Words(append([]int{Begin}, append(ids, End, Padding, Padding)...))
		if got := strings.Join(words, " "); err != nil || got != strings.TrimSpace(all[i]) && !strings.Contains(all[i], Separator) {
			t.Errorf("line %d became %q, %v", i+1, got, err)
		}
	}
	if ids := e.Encode("ж"); !slices.Equal(ids, []int{Unknown}) {
		t.Errorf("a character that was never seen: %v", ids)
	}
	if ids := e.Encode("  "); len(ids) != 0 {
		t.Errorf("no words: %v", ids)
	}
	if _, err := e.Words([]int{4, e.Vocabulary.Size()}); err == nil || !strings.Contains(err.Error(), "token 2 of 2") {
		t.Errorf("an id outside: %v", err)
	}
	whole := Encoding{Tokenizer: &Tokenizer{Language: "en", LowerCase: true}, Vocabulary: e.Vocabulary}
	if got := whole.Tokens("The dog's."); !slices.Equal(got, []string{"the", "dog", "'s", "."}) {
		t.Errorf("got %q", got)
	}
	if words, err := whole.Words(whole.Encode("The X")); err != nil || !slices.Equal(words, []string{"the", "x"}) {
		t.Errorf("got %q, %v", words, err)
	}
}

// TestGoroutines encodes on several goroutines, which gives the same.
func TestGoroutines(t *testing.T) {
	all := lines(t, "small.txt", read(t, "small.txt"))
	e := smallEncoding(t, read(t, "small.codes"), all)
	want := smallEncoding(t, read(t, "small.codes"), all).EncodeAll(all)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i, ids := range e.EncodeAll(all) {
				if !slices.Equal(ids, want[i]) {
					t.Errorf("line %d differs", i+1)
				}
			}
		})
	}
	wait.Wait()
}

// FuzzFiles has codes, vocabularies and texts of any content: an error names the line,
// and what is read can be written and read again.
func FuzzFiles(f *testing.F) {
	f.Add([]byte("#version: 0.2\na b\n"))
	f.Add([]byte("a 1\nb 2\n"))
	f.Add([]byte("\ufeffa\r\n\xff\n\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var out strings.Builder
		if codes, err := ParseCodes("x", content); err == nil {
			codes.WriteTo(&out)
			if again, err := ParseCodes("x", []byte(out.String())); err != nil || !slices.Equal(again.Merges, codes.Merges) {
				t.Errorf("codes %q: %v", content, err)
			}
			NewBPE(codes).Line("a b ab abab")
		} else if !strings.Contains(err.Error(), "x:") {
			t.Errorf("no line in %v", err)
		}
		out.Reset()
		if v, err := ParseVocabulary("x", content); err == nil {
			v.WriteTo(&out)
			if again, err := ParseVocabulary("x", []byte(out.String())); err != nil || !slices.Equal(again.counts, v.counts) {
				t.Errorf("vocabulary %q: %v", content, err)
			}
		} else if !strings.Contains(err.Error(), "x:") {
			t.Errorf("no line in %v", err)
		}
		if _, err := NewParallel("pair", File{"x", content}, File{"x", []byte("a\nb\n")}, Limits{MaxTokens: 5}); err != nil && !strings.Contains(err.Error(), "x:") {
			t.Errorf("no line in %v", err)
		}
	})
}

// invented are as many lines of ten words as a training text has.
func invented(n int) []string {
	all := make([]string, n)
	for i := range all {
		var words []string
		for k := range 10 {
			r := (i*7919 + k*104729) % 20011
			words = append(words, fmt.Sprintf("%c%c%co%cn", 'a'+r%26, 'a'+r/26%26, 'a'+r%7, 'a'+r/676%26))
		}
		all[i] = strings.Join(words, " ")
	}
	return all
}

func BenchmarkLearn(b *testing.B) {
	var words Counts
	words.AddLines(invented(29000)...)
	for b.Loop() {
		if _, err := Learn(&words, 6000); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	all := invented(29000)
	var words Counts
	words.AddLines(all...)
	codes, err := Learn(&words, 3000)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		bpe := NewBPE(codes)
		for _, line := range all {
			bpe.Line(line)
		}
	}
}

func BenchmarkTokenize(b *testing.B) {
	all := invented(29000)
	t := Tokenizer{Language: "en", LowerCase: true, Normalize: true}
	for b.Loop() {
		for _, line := range all {
			t.Tokenize(line)
		}
	}
}
