package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// badInput is input that a command must refuse with this exit code and with all of the
// words in the first line of stderr.
type badInput struct {
	args []string
	code int
	says []string
}

// badFlag makes a badInput for each value of a command's flag.
func badFlag(command, flag string, values ...string) []badInput {
	var all []badInput
	for _, v := range values {
		all = append(all, badInput{[]string{command, "-" + flag, v}, 2, []string{command, "-" + flag}})
	}
	return all
}

const huge = "99999999999999999999"

// badFlags are bad values of the flags of all commands.
func badFlags() []badInput {
	var all []badInput
	add := func(more ...badInput) { all = append(all, more...) }
	for _, command := range []string{"run", "tune"} {
		add(badFlag(command, "scale", "", "huge", "SMALL")...)
		add(badFlag(command, "optimizers", "magic", "sgd,magic")...)
		add(badFlag(command, "jobs", "0", "-1", "x", huge, "1000000000")...)
		add(badFlag(command, "seeds", "0", "-1", "x", huge, "1000000000")...)
		add(badFlag(command, "out", "")...)
		add(badInput{[]string{command, "nosuch"}, 2, []string{command, "nosuch"}},
			badInput{[]string{command, "fig1", "nosuch", "-jobs", "1"}, 2, []string{"nosuch"}},
			badInput{[]string{command, "-nosuch"}, 2, []string{"-nosuch"}},
			badInput{[]string{command, "-jobs"}, 2, []string{"-jobs"}})
	}
	add(badFlag("tune", "configs", "0", "-1", "x", huge, "1000000000")...)
	add(badFlag("tune", "seed", "-1", "x", huge)...)
	add(badInput{[]string{"run", "-redo=maybe"}, 2, []string{"-redo"}},
		badInput{[]string{"list", "nosuch"}, 2, []string{"list", "nosuch"}},
		badInput{[]string{"list", "-nosuch"}, 2, []string{"list", "-nosuch"}},
		badInput{[]string{"list", "-measure=maybe"}, 2, []string{"list", "-measure"}})
	add(badFlag("list", "scale", "huge", "SMALL")...)
	add(badFlag("peers", "batch", "0", "-1", "x", huge, "1000000000000")...)
	add(badFlag("peers", "rounds", "0", "-2", "x", huge, "1000000000000")...)
	add(badFlag("peers", "steps", "0", "-2", "x", huge, "1000000000000")...)
	add(badFlag("peers", "warmup", "-2", "x", huge, "1000000000000")...)
	add(badFlag("peers", "threads", "", "-1", "x", "1,,2", huge, "1000000")...)
	add(badFlag("peers", "only", "nosuch", "mlp,nosuch", ",")...)
	add(badFlag("peers", "ours", "nosuch")...)
	add(badFlag("peers", "out", filepath.Join("nosuch", "folder", "file"), ".")...)
	add(badFlag("peers", "cpuprofile", "file")...)
	add(badInput{[]string{"peers", "word"}, 2, []string{"peers", `"word"`}},
		badInput{[]string{"peers", "-nosuch"}, 2, []string{"peers", "-nosuch"}},
		badInput{[]string{"parity"}, 2, []string{"no files"}},
		badInput{[]string{"parity", "-x", "file"}, 2, []string{"-x"}},
		badInput{[]string{"report"}, 2, []string{"report", "folder"}},
		badInput{[]string{"report", "-nosuch", "a"}, 2, []string{"-nosuch"}},
		badInput{[]string{"report", "-o"}, 2, []string{"-o"}})
	return all
}

// refuse fails the test if a command does not refuse an input as it must.
func refuse(t *testing.T, all []badInput) {
	t.Helper()
	for _, in := range all {
		code, stdout, stderr := run(in.args...)
		first, _, _ := strings.Cut(stderr, "\n")
		if code != in.code || in.args[0] != "parity" && stdout != "" {
			t.Errorf("%.200q: exit code %d, want %d: %s%s", in.args, code, in.code, stderr, stdout)
		}
		for _, text := range in.says {
			if !strings.Contains(first, text) {
				t.Errorf("%.200q: the message does not say %q: %s", in.args, text, first)
			}
		}
	}
}

// TestBadFlags tries all bad flags in a folder that must stay empty.
func TestBadFlags(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	all := badFlags()
	if len(all) < 80 {
		t.Errorf("only %d rows", len(all))
	}
	refuse(t, all)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left %v behind (%v)", entries, err)
	}
}

// TestBadPlaces has files and folders that cannot be read or written. Existing files
// must not change.
func TestBadPlaces(t *testing.T) {
	base := t.TempDir()
	file, odd := filepath.Join(base, "file"), filepath.Join(base, "a\x00b")
	if err := os.WriteFile(file, []byte("of the user"), 0o666); err != nil {
		t.Fatal(err)
	}
	nowhere := filepath.Join(base, "nowhere")
	var all []badInput
	for _, out := range []string{file, filepath.Join(file, "below"), odd} {
		all = append(all,
			badInput{[]string{"run", "fig3-parkinsons", "-scale", "smoke", "-out", out}, 1, []string{"run: ", base}},
			badInput{[]string{"tune", "fig3-parkinsons", "-scale", "smoke", "-out", out}, 1, []string{"tune: ", base}},
			badInput{[]string{"tune", "fig3-parkinsons", "-scale", "smoke", "-out", filepath.Join(base, "out"), "-save", out}, 1, []string{"-save", base}},
			badInput{[]string{"report", out}, 1, []string{"report: ", base}},
			badInput{[]string{"report", "-notes", out, base}, 1, []string{"report: ", base}})
	}
	all = append(all,
		badInput{[]string{"report", nowhere}, 1, []string{nowhere}},
		badInput{[]string{"report", base, nowhere}, 1, []string{nowhere}},
		badInput{[]string{"report", base}, 1, []string{"no results in " + base}},
		badInput{[]string{"report", "-notes", nowhere, base}, 1, []string{nowhere}},
		badInput{[]string{"parity", nowhere}, 2, []string{nowhere}},
		badInput{[]string{"parity", base}, 2, []string{base}},
		badInput{[]string{"parity", odd}, 2, []string{base}})
	refuse(t, all)
	if text, err := os.ReadFile(file); err != nil || string(text) != "of the user" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

// TestBadStores has results folders with damaged files, which must not be overwritten.
func TestBadStores(t *testing.T) {
	sgd := filepath.Join("fig3-parkinsons", "smoke", "sgd-seed1.jsonl")
	trial := filepath.Join("tune", "fig3-parkinsons", "smoke", "sgd-trial01-seed1001.jsonl")
	for _, bad := range []struct{ command, name, content string }{
		{"run", "environment.json", ""},
		{"run", "environment.json", "{"},
		{"tune", "environment.json", "[1]"},
		{"run", sgd, "null\n"},
		{"run", sgd, "{}\n"},
		{"run", sgd, "x\n"},
		{"run", sgd, `{"experiment": 1}` + "\n"},
		{"run", sgd, `{"experiment": "fig3-parkinsons", "method": "sgd"}` + "\nnull\n"},
		{"tune", filepath.Join("tuned", "fig3-parkinsons-smoke.json"), "{"},
		{"tune", trial, "null\n"},
	} {
		out := t.TempDir()
		path := filepath.Join(out, bad.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(bad.content), 0o666); err != nil {
			t.Fatal(err)
		}
		args := []string{bad.command, "fig3-parkinsons", "-scale", "smoke", "-optimizers", "sgd", "-seeds", "1", "-out", out}
		code, _, stderr := run(args...)
		if code != 1 || !strings.Contains(stderr, path) {
			t.Errorf("%s with %q in %s: exit code %d: %s", bad.command, bad.content, bad.name, code, stderr)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != bad.content {
			t.Errorf("%s with %q in %s: it holds %q now (%v)", bad.command, bad.content, bad.name, now, err)
		}
	}
}

// plain drops characters that a file's name must not have.
func plain(r rune) rune {
	if strings.ContainsRune("\"[]:\n ", r) {
		return -1
	}
	return r
}

// TestBadFixtures damages a reference run in many ways.
func TestBadFixtures(t *testing.T) {
	good, err := os.ReadFile(filepath.Join("parity", "testdata", "linear-sgd.json"))
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string][]byte{
		"nothing": nil, "null": []byte("null"), "a list": []byte("[]"), "an empty object": []byte("{}"), "a number": []byte("1"),
		"zeros": make([]byte, 100), "twice": append(bytes.Clone(good), good...), "a mark": append([]byte("\ufeff"), good...),
		"deep": []byte(strings.Repeat("[", 100000)),
	}
	for _, change := range [][2]string{
		{"\"sizes\": [\n   2,", "\"sizes\": [\n   99999999999,"}, {"\"sizes\": [\n   2,", "\"sizes\": [\n   -2,"}, {"\"sizes\": [\n   2,", "\"sizes\": [\n   0,"},
		{"\"sizes\": [\n   2,", "\"sizes\": [\n   2.5,"}, {`"K": 2`, `"K": -1`}, {`"K": 2`, `"K": 1e300`}, {`"K": 2`, `"K": "2"`},
		{`"lambda_fsd": 0.3`, `"lambda_fsd": -1`}, {`"lambda_wsd": 0.2`, `"lambda_wsd": 1e999`}, {`"lr": 0.05`, `"lr": NaN`}, {`"steps"`, `"no_steps"`},
	} {
		if !bytes.Contains(good, []byte(change[0])) {
			t.Fatalf("the fixture has no %s", change[0])
		}
		contents["with "+strings.Map(plain, change[1])] = bytes.Replace(good, []byte(change[0]), []byte(change[1]), 1)
	}
	for i := 1; i < 20; i++ {
		n := i * (len(bytes.TrimSpace(good)) - 1) / 20
		contents[fmt.Sprintf("cut after %d bytes", n)] = good[:n]
	}
	dir := t.TempDir()
	var all []badInput
	for why, content := range contents {
		path := filepath.Join(dir, why)
		if bytes.Equal(content, good) {
			t.Fatalf("%s: the file is not damaged", why)
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		all = append(all, badInput{[]string{"parity", path}, 2, []string{"parity: " + path}})
	}
	refuse(t, all)
}
