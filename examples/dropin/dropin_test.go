package dropin

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
)

// TestDiff counts the lines that a user has to change.
func TestDiff(t *testing.T) {
	plain, apo := readLines(t, "plain"), readLines(t, "apo")
	common := commonLines(plain, apo)
	removed, added := len(plain)-common, len(apo)-common
	if removed > 10 || added > 10 || removed+added > 10 {
		t.Errorf("%d lines removed, %d added: more than ten changes", removed, added)
	}
	t.Logf("%d lines removed, %d added", removed, added)
}

func readLines(t *testing.T, program string) []string {
	text, err := os.ReadFile(filepath.Join(program, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

// commonLines is the length of the longest common subsequence.
func commonLines(a, b []string) int {
	above := make([]int, len(b)+1)
	for _, x := range a {
		row := make([]int, len(b)+1)
		for j, y := range b {
			if row[j+1] = max(row[j], above[j+1]); x == y {
				row[j+1] = above[j] + 1
			}
		}
		above = row
	}
	return above[len(b)]
}

// TestPrograms builds and runs both versions.
func TestPrograms(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	binary := make(map[string]string)
	for _, program := range []string{"plain", "apo"} {
		binary[program] = filepath.Join(t.TempDir(), program+".exe")
		if out, err := exec.Command("go", "build", "-o", binary[program], "./"+program).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	t.Run("losses", func(t *testing.T) { checkLosses(t, binary) })
	t.Run("several processes", func(t *testing.T) { checkProcesses(t, binary) })
	t.Run("usage", func(t *testing.T) {
		for _, b := range binary {
			checkUsage(t, b)
		}
	})
}

// checkProcesses starts each program twice by mpirun: it says once why it cannot divide its
// work.
func checkProcesses(t *testing.T, binary map[string]string) {
	launcher := exampletest.Launchers(t)[0]
	for program, b := range binary {
		p := launcher.StartProgram(t, 2, nil, b)
		if code := p.Wait(10 * time.Second); code != 1 || strings.Count(p.Output(), "mini-batches of one size, which 2 processes cannot divide") != 1 {
			t.Errorf("%s: exit code %d\n%s", program, code, p.Output())
		}
	}
}

// checkLosses compares the last losses. Both versions start from the same weights and
// train on the same batches, so the one with APO must end lower.
func checkLosses(t *testing.T, binary map[string]string) {
	loss := make(map[string]float64)
	for program, b := range binary {
		loss[program] = lastLoss(t, execute(t, b, "-epochs", "8"))
	}
	if !(loss["apo"] < 0.95*loss["plain"]) {
		t.Errorf("loss %v with APO, %v without", loss["apo"], loss["plain"])
	}
	t.Log(loss)
}

func execute(t *testing.T, binary string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", binary, err)
	}
	return string(out)
}

// lastLoss reads the loss of the last line.
func lastLoss(t *testing.T, out string) float64 {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	_, rest, found := strings.Cut(lines[len(lines)-1], "loss ")
	text, _, _ := strings.Cut(rest, ",")
	loss, err := strconv.ParseFloat(text, 64)
	if !found || err != nil {
		t.Fatalf("no loss in %q", lines[len(lines)-1])
	}
	return loss
}

// checkUsage checks what -h says, and the exit codes of wrong flags.
func checkUsage(t *testing.T, binary string) {
	help := execute(t, binary, "-h")
	for _, want := range []string{"8x8 digits", "Gorgonia's Momentum", "learning rate", "-epochs", "-rate", "Exit codes"} {
		if !strings.Contains(help, want) {
			t.Errorf("%s -h does not say %q:\n%s", binary, want, help)
		}
	}
	const huge = "99999999999999999999"
	exampletest.Refuse(t, func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
		command := exec.CommandContext(ctx, binary, args...)
		command.Stdout, command.Stderr = stdout, stderr
		command.Run() // its error is the exit code
		return command.ProcessState.ExitCode()
	}, t.TempDir(), append(slices.Concat(
		exampletest.Flag("epochs", "0", "-1", "x", huge, "9223372036854775807"),
		exampletest.Flag("rate", "0", "-1", "NaN", "Inf", "1e300", "1e999", "x"),
	),
		exampletest.BadInput{Args: []string{"-nosuchflag"}, Code: 2, Says: []string{"-nosuchflag"}},
		exampletest.BadInput{Args: []string{"-epochs"}, Code: 2, Says: []string{"-epochs"}},
		exampletest.BadInput{Args: []string{"more"}, Code: 2, Says: []string{`"more"`}},
	))
}
