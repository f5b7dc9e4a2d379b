package text

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestVocabulary(t *testing.T) {
	var counts Counts
	counts.AddLines("b a a c <unk> <pad> <pad>", "b d", " a  ")
	v := NewVocabulary(&counts, 1)
	// a 3 times, b twice, c and d once, c first; <unk> and <pad> are unknown words.
	if got, want := v.Encode(strings.Fields("a b c d e <pad> <unk>")), []int{4, 5, 6, 7, 3, 3, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if v.Size() != 8 || NewVocabulary(&counts, 2).Size() != 6 {
		t.Errorf("sizes %d and %d", v.Size(), NewVocabulary(&counts, 2).Size())
	}
	tokens, err := v.Decode([]int{Begin, 4, Unknown, Padding, 7, End, 99})
	if got := strings.Join(tokens, " "); err != nil || got != "a <unk> d" {
		t.Errorf("got %q, %v", got, err)
	}
	var file bytes.Buffer
	if _, err := v.WriteTo(&file); err != nil || file.String() != "a 3\nb 2\nc 1\nd 1\n" {
		t.Errorf("written: %q, %v", file.String(), err)
	}
	again, err := ParseVocabulary("x", file.Bytes())
	if err != nil || !slices.Equal(again.counts, v.counts) || again.ID("d") != 7 {
		t.Errorf("read: %v, %v", again, err)
	}
	// The order of a file counts, not its numbers.
	if v, err := ParseVocabulary("x", []byte("low 1\nhigh 9\n")); err != nil || v.ID("low") != Special {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestVocabularyRefusals(t *testing.T) {
	v := NewVocabulary(&Counts{}, 1)
	for _, id := range []int{-1, 4} {
		_, err := v.Decode([]int{Unknown, id})
		if err == nil || !strings.Contains(err.Error(), "token 2 of 2") || !strings.Contains(err.Error(), "outside the vocabulary of 4") {
			t.Errorf("id %d: got %v", id, err)
		}
	}
	if _, err := ParseVocabulary("x", []byte("a 1\n<eos> 3\n")); err == nil || !strings.Contains(err.Error(), "x:2: <eos>") {
		t.Errorf("a special token in a file: got %v", err)
	}
}
