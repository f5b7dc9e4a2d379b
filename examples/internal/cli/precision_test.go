package cli

import (
	"strings"
	"testing"
)

func TestPrecision(t *testing.T) {
	for name, want := range map[string]string{"float32": "", "bfloat16": "bfloat16", "float16": "float16"} {
		got := "before"
		if err := Precision(&got)(name); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		opts, err := PrecisionOptions(got)
		if err != nil || len(opts) != min(len(want), 1) {
			t.Errorf("%s: %d options, %v", name, len(opts), err)
		}
		if err := CheckPrecision(got, "float32"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := CheckPrecision(got, "float64"); (err == nil) != (want == "") {
			t.Errorf("%s beside float64: %v", name, err)
		}
	}
	for _, name := range []string{"", "float64", "half"} {
		got := "before"
		if err := Precision(&got)(name); err == nil || !strings.Contains(err.Error(), "bfloat16") || got != "before" {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	if err := CheckPrecision("half", "float32"); err == nil || !strings.Contains(err.Error(), "-precision") {
		t.Error(err)
	}
	if _, err := PrecisionOptions("half"); err == nil {
		t.Error("half has options")
	}
}
