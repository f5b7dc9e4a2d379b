package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// programEnv makes the test binary act as the program.
const programEnv = "APO_TEST_PROGRAM"

// TestMain lets the test binary act as the worker that commands start, or as the
// program itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == suite.WorkerCommand || os.Getenv(programEnv) != "" {
		os.Exit(dispatch(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func run(args ...string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = dispatch(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestHelpListsTheCommandsAndExitCodes(t *testing.T) {
	for _, flag := range []string{"-h", "-help", "--help", "help"} {
		code, stdout, stderr := run(flag)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", flag, code, stderr)
		}
		for _, c := range commands {
			if !strings.Contains(stdout, c.name) || !strings.Contains(stdout, c.help) {
				t.Errorf("%s: %s is missing in %q", flag, c.name, stdout)
			}
		}
		if !strings.Contains(stdout, "Exit codes") {
			t.Errorf("%s: no exit codes in %q", flag, stdout)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"nonsense"}, {"-x"}} {
		code, stdout, stderr := run(args...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, "Usage") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestCommandsGetTheirArguments(t *testing.T) {
	defer func(old []command) { commands = old }(commands)
	var got []string
	commands = []command{{"echo", "", func(_ context.Context, args []string, _, _ io.Writer) int {
		got = args
		return 7
	}}}
	if code, _, _ := run("echo", "a", "-b"); code != 7 || strings.Join(got, " ") != "a -b" {
		t.Errorf("exit code %d, arguments %q", code, got)
	}
}

// TestUnknownLibrary starts the program with values that name no library.
func TestUnknownLibrary(t *testing.T) {
	for _, choice := range []string{blas.Env + "=banana", dnn.Env + "=banana", dnn.Env + "=/nowhere/libnone.so"} {
		for _, command := range []string{"list", "run", "peers"} {
			program := exec.Command(os.Args[0], command)
			program.Env = append(os.Environ(), programEnv+"=1", choice)
			out, err := program.CombinedOutput()
			if program.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), choice) {
				t.Errorf("%s %s: %v, %q", choice, command, err, out)
			}
		}
	}
}
