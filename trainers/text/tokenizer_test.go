package text

import (
	"slices"
	"strings"
	"testing"
)

// TestTokenize has what Moses' rules give: the values, except those on lower case and
// Normalize, were made by the substitutions of tokenizer.perl, run by Perl on the text
// with a space at both ends and with the abbreviations of this package.
func TestTokenize(t *testing.T) {
	for _, c := range []struct {
		language, line, want string
	}{
		{"en", "It's a well-known dog (a Boston Terrier), isn't it?", "It &apos;s a well-known dog ( a Boston Terrier ) , isn &apos;t it ?"},
		{"en", "The boys' ball and the 1990's 'rock'n'roll'.", "The boys &apos; ball and the 1990 &apos;s &apos; rock &apos;n&apos;roll &apos; ."},
		{"en", "Mr. Smith paid 1,000.50 dollars, i.e. too much, etc. to No. 5. And No. Then what?",
			"Mr. Smith paid 1,000.50 dollars , i.e. too much , etc. to No. 5 . And No . Then what ?"},
		{"en", "Wait... what?! 3,5 a,b ,c and so on..", "Wait ... what ? ! 3,5 a , b , c and so on .."},
		{"en", `He said "hi" & left. www.example.com/a_b`, "He said &quot; hi &quot; &amp; left. www.example.com / a _ b"},
		{"en", "A man from the U.S. is here. J. Doe, too", "A man from the U.S. is here . J. Doe , too"},
		{"de", "Am 3. Mai fährt Hr. Müller z.B. nach Köln.", "Am 3. Mai fährt Hr. Müller z.B. nach Köln ."},
		{"de", "Er hat's gesagt: „Das kostet 1.000,50 Euro!“", "Er hat &apos; s gesagt : „ Das kostet 1.000,50 Euro ! “"},
		{"de", "Sie kam 1999. Dann ging sie, usw. usf.", "Sie kam 1999 . Dann ging sie , usw. usf ."},
		{"de", " \t\u00a0a\x07b  c\u2028d ", "ab c d"},
		{"de", "", ""},
		{"de", ".", "."},
		{"de", "½,1 ,5 5, a|b[c]<d>", "½ , 1 , 5 5 , a &#124; b &#91; c &#93; &lt; d &gt;"},
	} {
		if got := (Tokenizer{Language: c.language, Escape: true}).Tokenize(c.line); got != c.want {
			t.Errorf("%s %q:\n got %q\nwant %q", c.language, c.line, got, c.want)
		}
	}
	plain := Tokenizer{Language: "de", Normalize: true, LowerCase: true}
	if got, want := plain.Tokenize("„ÜBER“ Straße–Weg … Joe’s"), `" über " straße-weg ... joe ' s`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDetokenize(t *testing.T) {
	for tokens, want := range map[string]string{
		"it &apos;s a dog ( a terrier ) , isn &apos;t it ?": "it's a dog (a terrier), isn't it?",
		"he said &quot; hi &quot; &amp; left .":             `he said "hi" & left.`,
		"the boys &apos; ball &apos; x &apos;":              "the boys 'ball' x '",
		"it costs $ 5 . 1,000 % !":                          "it costs $5. 1,000%!",
		"&amp;quot;  a":                                     "&quot; a",
		"":                                                  "",
	} {
		if got := Detokenize(tokens); got != want {
			t.Errorf("%q: got %q, want %q", tokens, got, want)
		}
	}
	for _, line := range []string{"A man, who isn't young, sits (or stands) near No. 5.", `They say "hello" and wait...`} {
		if got := Detokenize(Tokenizer{Language: "en", Escape: true}.Tokenize(line)); got != line {
			t.Errorf("%q became %q", line, got)
		}
	}
}

// FuzzTokenize holds that tokens are separated by single spaces, that no letter is lost
// and that nothing fails.
func FuzzTokenize(f *testing.F) {
	f.Add("It's 1,000... Dr. X' \xff\u00a0„a“")
	f.Fuzz(func(t *testing.T, line string) {
		for _, language := range []string{"en", "de", ""} {
			got := Tokenizer{Language: language}.Tokenize(line)
			if got != strings.Join(strings.Fields(got), " ") {
				t.Errorf("%q became %q", line, got)
			}
			letters := func(s string) []rune {
				return slices.DeleteFunc([]rune(s), func(r rune) bool { return !isAlphanumeric(r) })
			}
			if !slices.Equal(letters(got), letters(line)) {
				t.Errorf("%q lost letters: %q", line, got)
			}
			Detokenize(got)
		}
	})
}
