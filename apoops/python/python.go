package python

import (
	"context"
	"os/exec"
	"slices"
)

// interpreters are those that With tries, in this order. Packages of the system belong to the
// first.
var interpreters = []string{"/usr/bin/python3", "python3"}

// Interpreters are those that With tries, in this order.
func Interpreters() []string { return slices.Clone(interpreters) }

// With returns the first of Interpreters that has all of these top-level modules, or "".
func With(ctx context.Context, modules ...string) string {
	return First(ctx, interpreters, modules...)
}

// search ends with 1 where one of the modules is not found, without importing it.
const search = "import sys, importlib.util; sys.exit(any(importlib.util.find_spec(m) is None for m in sys.argv[1:]))"

// First is With of other interpreters: names on the PATH, or paths.
func First(ctx context.Context, interpreters []string, modules ...string) string {
	for _, p := range interpreters {
		if exec.CommandContext(ctx, p, append([]string{"-c", search}, modules...)...).Run() == nil {
			return p
		}
	}
	return ""
}
