package layout

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quoted = regexp.MustCompile("`([^`\n]+)`")
	linked = regexp.MustCompile(`\]\(([^)#\s]+)\)`)
	// pathLike has a slash or the ending of a file, and nothing that paths here have not.
	pathLike = regexp.MustCompile(`^\.?[\w-]+([./][\w.-]+)*/?$`)
	fileLike = regexp.MustCompile(`\.(go|md|json|py|s)$`)
)

// TestPathsInDocumentsExist looks for every path that a document names, relative to
// the document's folder.
func TestPathsInDocumentsExist(t *testing.T) {
	for _, name := range tracked(t) {
		if !strings.HasSuffix(name, ".md") || strings.Contains(name, "testdata/") || name == "CHANGELOG.md" {
			continue // the last names what is gone
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range pathsIn(string(text)) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(name), path)); err != nil {
				t.Errorf("%s names %s, which is not there", name, path)
			}
		}
	}
}

// pathsIn are the paths that are links or between backquotes.
func pathsIn(text string) []string {
	var all []string
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		path := m[1]
		if pathLike.MatchString(path) && (strings.Contains(path, "/") || fileLike.MatchString(path)) && !elsewhere(path) {
			all = append(all, path)
		}
	}
	for _, m := range linked.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "://") {
			all = append(all, m[1])
		}
	}
	return all
}

// elsewhere tells the import paths of other modules, which begin with a domain.
func elsewhere(path string) bool {
	domain, _, found := strings.Cut(path, "/")
	return found && strings.Contains(strings.TrimPrefix(domain, "."), ".")
}

func TestPathsIn(t *testing.T) {
	got := pathsIn("`a/b.go`, [c](d.md), `.ci/run`, `x.go`, `go test ./a`, `gorgonia.org/tensor`, `trainers.New`, [e](https://f/g), `h/`")
	if want := "a/b.go .ci/run x.go h/ d.md"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
