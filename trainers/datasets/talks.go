package datasets

import (
	"regexp"
	"strings"

	"github.com/apo-gorgonia/apo/trainers/text"
)

// The limits of a pair of sentences in the training text of IWSLT'14.
const (
	maxTalkTokens = 175
	maxTalkRatio  = 1.5
)

var tags = strings.NewReplacer("<title>", "", "</title>", "", "<description>", "", "</description>", "")

// untagged are the lines of a training text that are sentences, titles or descriptions.
func untagged(lines []string) []string {
	var sentences []string
	for _, line := range lines {
		if strings.Contains(line, "<url>") || strings.Contains(line, "<talkid>") || strings.Contains(line, "<keywords>") {
			continue
		}
		sentences = append(sentences, tags.Replace(line))
	}
	return sentences
}

var (
	segmentBegin = regexp.MustCompile(`<seg id="[0-9]*">\s*`)
	segmentEnd   = regexp.MustCompile(`\s*</seg>\s*`)
)

// segments are the sentences of a test in XML, which stand one in a line.
func segments(lines []string) []string {
	var sentences []string
	for _, line := range lines {
		if !strings.Contains(line, "<seg id") {
			continue
		}
		line = segmentEnd.ReplaceAllString(segmentBegin.ReplaceAllString(line, ""), "")
		sentences = append(sentences, strings.ReplaceAll(line, "’", "'"))
	}
	return sentences
}

func tokenized(sentences []string, t text.Tokenizer) []string {
	out := make([]string, len(sentences))
	for i, s := range sentences {
		out[i] = t.Tokenize(s)
	}
	return out
}

// isClean tells the pairs that clean-corpus-n.perl keeps.
func isClean(source, target string) bool {
	s, t := len(strings.Fields(source)), len(strings.Fields(target))
	return s > 0 && t > 0 && s <= maxTalkTokens && t <= maxTalkTokens &&
		float64(s) <= maxTalkRatio*float64(t) && float64(t) <= maxTalkRatio*float64(s)
}
