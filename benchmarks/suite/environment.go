package suite

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/errors"
)

// Environment is the machine and the program that made runs.
type Environment struct {
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`
	MemoryBytes int64  `json:"memory_bytes"`
	OS          string `json:"os"`
	Go          string `json:"go"`
	BLAS        string `json:"blas"`
	Commit      string `json:"commit"`
	Date        string `json:"date"` // of the first command with this environment
}

// Processor is the processor with the number of cores that the program uses.
func (e Environment) Processor() string {
	if e.Cores == 1 {
		return e.CPU + ", 1 core"
	}
	return fmt.Sprintf("%s, %d cores", e.CPU, e.Cores)
}

// environmentFile has a list of Environments in the order of their first use.
const environmentFile = "environment.json"

// CurrentEnvironment describes this machine and program.
func CurrentEnvironment(ctx context.Context) (Environment, error) {
	name, _, err := libraries()
	return Environment{
		CPU: cpuModel(ctx), Cores: runtime.NumCPU(), MemoryBytes: memoryBytes(),
		OS: runtime.GOOS + "/" + runtime.GOARCH + osName(), Go: runtime.Version(),
		BLAS: name, Commit: commit(ctx), Date: time.Now().UTC().Format(time.RFC3339),
	}, err
}

// ReadEnvironments reads the environments of a results folder. It returns none if
// there is no file.
func ReadEnvironments(dir string) ([]Environment, error) {
	path := filepath.Join(dir, environmentFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.WithStack(err)
	}
	var all []Environment
	return all, errors.Wrap(json.Unmarshal(text, &all), path)
}

// Made sets the environment of a run without one: that of its program in a list.
func (r *Run) Made(all []Environment) {
	if r.Environment != nil {
		return
	}
	i := slices.IndexFunc(all, func(e Environment) bool { return e.Commit == r.Header.Commit && e.BLAS == r.Header.BLAS })
	if i >= 0 {
		r.Environment = &all[i]
	}
}

// store adds the environment to the folder's file unless the file has it.
func (e Environment) store(dir string) error {
	all, err := ReadEnvironments(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(o Environment) bool { o.Date = e.Date; return o == e }) {
		return nil
	}
	text, err := json.MarshalIndent(append(all, e), "", "  ")
	if err != nil {
		return errors.Wrap(err, environmentFile)
	}
	return replaceFile(filepath.Join(dir, environmentFile), append(text, '\n'))
}

// commit is the version of the program's source, or "unknown". Programs built by
// "go run" do not contain it, so commit asks git as well.
func commit(ctx context.Context) string {
	revision, changed := "", false
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				revision = s.Value
			case "vcs.modified":
				changed = s.Value == "true"
			}
		}
	}
	if revision == "" {
		out, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output()
		if err != nil {
			return "unknown"
		}
		revision = strings.TrimSpace(string(out))
		out, err = exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output()
		changed = err == nil && len(bytes.TrimSpace(out)) > 0
	}
	if len(revision) > 12 {
		revision = revision[:12]
	}
	if changed {
		revision += " with changes"
	}
	return revision
}

func cpuModel(ctx context.Context) string {
	if name := fileField("/proc/cpuinfo", "model name", ":"); name != "" {
		return name
	}
	if out, err := exec.CommandContext(ctx, "sysctl", "-n", "machdep.cpu.brand_string").Output(); err == nil {
		return strings.TrimSpace(string(out))
	}
	return "unknown"
}

func memoryBytes() int64 {
	words := strings.Fields(fileField("/proc/meminfo", "MemTotal", ":"))
	if len(words) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(words[0], 10, 64)
	return n * 1024
}

func osName() string {
	if name := strings.Trim(fileField("/etc/os-release", "PRETTY_NAME", "="), `"`); name != "" {
		return " (" + name + ")"
	}
	return ""
}

// fileField is the value of the first line "key separator value" of a file, or "".
func fileField(path, key, separator string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), separator)
		if ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
