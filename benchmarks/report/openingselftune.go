package report

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"
)

// selfTuningTitle is that of a report of the command selftune.
const selfTuningTitle = "Training without tuning"

// selfTuning is what the first page takes from a report of the command selftune.
type selfTuning struct {
	summary  string
	pictures []string // paths from the folder of the report
}

// readSelfTuning reads the paragraph below the title and the pictures.
func readSelfTuning(path string) (s selfTuning, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return s, errors.WithStack(err)
	}
	body, ok := strings.CutPrefix(string(text), "# "+selfTuningTitle+"\n\n")
	if !ok {
		return s, errors.Errorf("%s is no report of selftune: its title is not %q", path, selfTuningTitle)
	}
	s.summary, _, _ = strings.Cut(body, "\n\n")
	for _, m := range image.FindAllStringSubmatch(body, -1) {
		s.pictures = append(s.pictures, filepath.FromSlash(m[2]))
	}
	return s, nil
}

// selfTuning adds the comparison of methods that are not tuned for a task, if there is one.
func (o *opening) selfTuning(d *document) {
	if o.paths.selfTuning == "" {
		return
	}
	from := filepath.Dir(o.paths.text)
	d.add("## %s", selfTuningTitle)
	d.add("%s [Areas, pairs and configurations](%s).", strings.ReplaceAll(o.untuned.summary, "\n", " "), link(from, o.paths.selfTuning))
	var found []string
	for _, p := range o.untuned.pictures {
		found = append(found, picture(link(from, filepath.Join(filepath.Dir(o.paths.selfTuning), p)), strings.TrimSuffix(filepath.Base(p), filepath.Ext(p))))
	}
	if len(found) > 0 {
		d.add("%s", strings.Join(found, "\n"))
	}
}
