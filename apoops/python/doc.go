// Package python finds interpreters of Python for comparisons with its libraries. It does not
// import these, which takes seconds of the processor's time for PyTorch:
//
//	python := python.With(ctx, "torch")
//	if python == "" {
//		t.Skip("no python3 with PyTorch on this machine")
//	}
//
// An installation that is there and broken is found too: what runs it then fails.
package python
