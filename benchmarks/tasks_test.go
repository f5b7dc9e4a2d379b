package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// taskSetting is a setting that only an experiment's task may read.
var taskSetting = regexp.MustCompile(`\b(c|[cC]onfig)\.(Net|Set|Widths|Pool|Augment|Own)\b`)

// Nothing but the tasks asks what kind of model or data an experiment has.
func TestOnlyTasksReadTheirSettings(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == "experiments" {
			if d != nil && d.IsDir() && err == nil {
				return fs.SkipDir
			}
			return err
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if found := taskSetting.Find(text); found != nil {
			t.Errorf("%s reads %s, which is the task's", path, found)
		}
		return nil
	})
	if err != nil || files < 20 {
		t.Fatalf("%d files: %v", files, err)
	}
	if !taskSetting.MatchString(`if t.order.Config.Net != "" {`) {
		t.Error("the check finds nothing")
	}
}
