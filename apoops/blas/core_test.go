package blas

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// coreCase is the variable by which a process of this test is told its part.
const coreCase = "APO_TEST_CORE"

// TestMain lets the test binary say for which kind of processor the library works, as the
// program of a user would find it, or after the library chose Prescott by itself.
func TestMain(m *testing.M) {
	switch os.Getenv(coreCase) {
	case "":
		os.Exit(m.Run())
	case "chosen":
		_, _ = os.Stdout.WriteString(Describe() + strings.Join(Environment(), " "))
	case "misled":
		_, _ = os.Stdout.WriteString(strings.Join(misled("libopenblas.so.0"), " "))
	}
}

// misled are the kinds of processors that OpenBLAS works for after it chose Prescott: then,
// with a better one, with one that it does not know, and while it is open twice.
func misled(file string) (cores []string) {
	levels := simd.Levels()
	lib, err := openLibrary(file)
	if err == nil {
		lib, err = reopen(lib, file, "Prescott")
	}
	for _, core := range []string{"", betterCore("Prescott", levels[len(levels)-1]), "no such core"} {
		told := ""
		if err == nil && core != "" {
			lib, told, err = suit(lib, file, core)
		}
		cores = append(cores, coreOf(lib)+"/"+told)
	}
	if err == nil {
		_, err = openLibrary(file)
	}
	if err == nil {
		lib, _, err = suit(lib, file, "Prescott")
	}
	if err != nil {
		return []string{err.Error()}
	}
	return append(cores, coreOf(lib))
}

// said is what a process with a part and a value of coreEnv writes.
func said(t *testing.T, part string, core *string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, coreEnv+"=") && !strings.HasPrefix(e, Env+"=") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, coreCase+"="+part)
	if core != nil {
		cmd.Env = append(cmd.Env, coreEnv+"="+*core)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", part, err, out)
	}
	return string(out)
}

// TestCoreIsNotOld: OpenBLAS works for no processor older than this one, unless the user
// says so, and is opened again if it does, for this process alone.
func TestCoreIsNotOld(t *testing.T) {
	if got := said(t, "chosen", nil); !strings.HasPrefix(got, "openblas (libopenblas.so.0)") {
		t.Skipf("no libopenblas.so.0 is in use, but %s", got)
	}
	levels := simd.Levels()
	best := levels[len(levels)-1]
	want := betterCore("Prescott", best)
	if want == "" {
		t.Skip("the processor has no AVX2")
	}
	got := said(t, "chosen", nil)
	t.Log(got)
	old := coresWithoutAVX2
	if best == simd.AVX512 {
		old = append(slices.Clone(old), coresWithoutAVX512...)
	}
	for _, old := range old {
		if strings.Contains(got, " "+old) {
			t.Errorf("OpenBLAS works for %s on a processor with %v: %s", old, best, got)
		}
	}
	if strings.Contains(got, coreEnv) && !(strings.Contains(got, " "+want) && strings.HasSuffix(got, coreEnv+"="+want)) {
		t.Errorf("other programs are told another kind of processor: %s, want %s", got, want)
	}
	prescott := "Prescott"
	if got := said(t, "chosen", &prescott); !strings.Contains(got, " Prescott") || strings.Contains(got, coreEnv) {
		t.Errorf("%s=Prescott: %s", coreEnv, got)
	}
	chosen := want + "/"
	if got := said(t, "misled", nil); got != "Prescott/ "+chosen+want+" "+chosen+" "+want {
		t.Errorf("the library worked for %s", got)
	}
}

func TestBetterCore(t *testing.T) {
	for _, c := range []struct {
		core  string
		level simd.Level
		want  string
	}{
		{"Prescott", simd.AVX512, "SkylakeX"}, {"Nehalem", simd.AVX2, "Haswell"}, {"Prescott", simd.Off, ""},
		{"Barcelona", simd.AVX2, "Haswell"}, {"Zen", simd.AVX512, "SkylakeX"}, {"Haswell", simd.AVX512, "SkylakeX"}, {"Zen", simd.AVX2, ""}, {"Cooperlake", simd.AVX512, ""}, {"", simd.AVX512, ""}, {"neoversen1", simd.AVX2, ""},
	} {
		if got := betterCore(c.core, c.level); got != c.want {
			t.Errorf("%q with %v: %q, want %q", c.core, c.level, got, c.want)
		}
	}
}
