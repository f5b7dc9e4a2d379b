package mpi

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// blocks are the parts of the page in the given language.
func blocks(t *testing.T, language string) (all []string) {
	t.Helper()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if m[1] == language {
			all = append(all, m[2])
		}
	}
	return all
}

// TestReadmeScripts has the shell read the page's commands.
func TestReadmeScripts(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not on this machine")
	}
	scripts := blocks(t, "sh")
	if len(scripts) != 5 {
		t.Errorf("%d scripts", len(scripts))
	}
	for _, s := range scripts {
		cmd := exec.Command(bash, "-n")
		cmd.Stdin = strings.NewReader(s)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s\n%s", err, out, s)
		}
	}
	if i := slices.IndexFunc(scripts, func(s string) bool { return strings.HasPrefix(s, "#!") }); i < 0 || !regexp.MustCompile(`(?m)^#SBATCH --signal=TERM@\d+$`).MatchString(scripts[i]) {
		t.Error("no script for Slurm, or it gets no signal before its time is over")
	}
}

// yamlLine is a line of the simple kind of YAML that the page has.
var yamlLine = regexp.MustCompile(`^( *)(- )?(?:([A-Za-z][A-Za-z]*):(?: (\S.*))?|(\S+))$`)

// yamlPaths are the values by their paths, and what is wrong with the text.
func yamlPaths(text string) (values map[string]string, wrong []string) {
	values = make(map[string]string)
	type level struct {
		indent int
		key    string
	}
	var open []level // that a line may belong to
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		m := yamlLine.FindStringSubmatch(line)
		if m == nil {
			wrong = append(wrong, line)
			continue
		}
		indent := len(m[1])
		for len(open) > 0 && open[len(open)-1].indent >= indent {
			open = open[:len(open)-1]
		}
		if len(open) == 0 && indent > 0 || len(open) > 0 && indent != open[len(open)-1].indent+2 {
			wrong = append(wrong, line)
		}
		path := ""
		for _, l := range open {
			path += l.key + "."
		}
		if m[2] != "" {
			open = append(open, level{indent, "-"})
			path, indent = path+"-.", indent+2
		}
		if m[3] == "" { // an element of a list
			values[path] += m[5] + " "
			continue
		}
		values[path+m[3]] = m[4]
		if m[4] == "" {
			open = append(open, level{indent, m[3]})
		}
	}
	return values, wrong
}

// TestReadmeManifest reads the page's manifest.
func TestReadmeManifest(t *testing.T) {
	manifests := blocks(t, "yaml")
	if len(manifests) != 1 {
		t.Fatalf("%d manifests", len(manifests))
	}
	values, wrong := yamlPaths(manifests[0])
	if len(wrong) > 0 {
		t.Errorf("no YAML: %q", wrong)
	}
	for path, want := range map[string]string{
		"apiVersion": "kubeflow.org/v2beta1", "kind": "MPIJob", "metadata.name": "cifar", "spec.slotsPerWorker": "1", "spec.mpiImplementation": "OpenMPI",
		"spec.mpiReplicaSpecs.Launcher.replicas": "1", "spec.mpiReplicaSpecs.Worker.replicas": "4",
		"spec.mpiReplicaSpecs.Launcher.template.spec.containers.-.command.-.":                 "mpirun ",
		"spec.mpiReplicaSpecs.Worker.template.spec.containers.-.resources.limits.cpu":         "8",
		"spec.mpiReplicaSpecs.Worker.template.spec.containers.-.volumeMounts.-.name":          "runs",
		"spec.mpiReplicaSpecs.Worker.template.spec.volumes.-.persistentVolumeClaim.claimName": "runs",
	} {
		if got := values[path]; got != want {
			t.Errorf("%s is %q, not %q", path, got, want)
		}
	}
	if args := values["spec.mpiReplicaSpecs.Launcher.template.spec.containers.-.args.-."]; !strings.HasPrefix(args, `--allow-run-as-root -n "4" --bind-to none /usr/local/bin/cifar `) {
		t.Errorf("arguments %q", args)
	}
	if _, wrong := yamlPaths("a: b\n    c: d\n"); len(wrong) == 0 {
		t.Error("a line below a value is no mistake")
	}
}
