// Kill stops trainings by SIGKILL at random moments, goes on with them, on other
// numbers of cores too, and compares what they leave in the end with runs never
// stopped, bit for bit: weights and logs. It is no part of .ci/run:
//
//	go run ./.ci/kill -kills 100
//	APO_BLAS=gonum go run ./.ci/kill -kills 100
package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// configEnv makes a process a training of that configuration, in the folder that
// is its argument.
const configEnv = "APO_KILL_CONFIG"

func main() {
	if name := os.Getenv(configEnv); name != "" {
		check(train(name, os.Args[1]))
		return
	}
	kills := flag.Int("kills", 100, "kills, shared by the configurations")
	seed := flag.Uint64("seed", 1, "seed of the moments and numbers of cores")
	flag.Parse()
	library, err := blas.Use()
	check(err)
	fmt.Println("BLAS:", library)
	rng := rand.New(rand.NewPCG(*seed, 1))
	total := outcome{}
	for i, c := range configs {
		share := *kills*(i+1)/len(configs) - *kills*i/len(configs)
		o, err := campaign(c.name, share, rng)
		fmt.Printf("%-14s %d kills (%d before a checkpoint, %d within one), %d runs, %d differ\n", c.name, o.kills, o.early, o.within, o.runs, o.differ)
		check(errors.WithMessage(err, c.name))
		total.add(o)
	}
	fmt.Printf("%d kills, %d within the writing of a checkpoint, %d of %d runs differ\n", total.kills, total.within, total.differ, total.runs)
	if total.differ > 0 {
		os.Exit(1)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// outcome counts what happened.
type outcome struct{ kills, early, within, runs, differ int }

func (o *outcome) add(p outcome) {
	o.kills, o.early, o.within = o.kills+p.kills, o.early+p.early, o.within+p.within
	o.runs, o.differ = o.runs+p.runs, o.differ+p.differ
}

// campaign kills runs of a configuration so many times.
func campaign(name string, kills int, rng *rand.Rand) (o outcome, err error) {
	root, err := os.MkdirTemp("", "kill")
	if err != nil {
		return o, err
	}
	defer os.RemoveAll(root)
	whole := filepath.Join(root, "whole")
	began := time.Now()
	if _, err := child(name, whole, 2, 0); err != nil {
		return o, err
	}
	length := time.Since(began)
	for o.kills < kills {
		dir := filepath.Join(root, fmt.Sprint(o.runs))
		for ended := false; !ended; {
			patience := time.Duration(0) // without limit
			if o.kills < kills {
				patience = time.Duration((0.1 + 0.7*rng.Float64()) * float64(length))
			}
			if ended, err = child(name, dir, 1<<rng.IntN(3), patience); err != nil {
				return o, err
			}
			if !ended {
				o.kills++
				o.count(dir)
			}
		}
		o.runs++
		same, err := equal(whole, dir)
		if err != nil {
			return o, err
		}
		if !same {
			o.differ++
		}
	}
	return o, nil
}

// count looks where a kill hit.
func (o *outcome) count(dir string) {
	if _, err := os.Stat(filepath.Join(dir, checkpoint)); err != nil {
		o.early++
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp-*")); left != nil {
		o.within++
	}
}

// child runs a training on so many cores, kills it after patience, 0 for never, and
// tells whether it came to its end.
func child(name, dir string, cores int, patience time.Duration) (ended bool, err error) {
	c := exec.Command(os.Args[0], dir)
	c.Env = append(os.Environ(), configEnv+"="+name, fmt.Sprintf("GOMAXPROCS=%d", cores))
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	if err := c.Start(); err != nil {
		return false, err
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	var late <-chan time.Time
	if patience > 0 {
		late = time.After(patience)
	}
	select {
	case err = <-done:
	case <-late:
		_ = c.Process.Kill() // it may just have ended
		err = <-done
		if err != nil && !c.ProcessState.Exited() {
			return false, nil
		}
	}
	return err == nil, errors.Wrap(err, output.String())
}

// equal compares the final weights and the logs, but for their times.
func equal(a, b string) (bool, error) {
	for _, name := range []string{weights, table, lines} {
		x, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			return false, err
		}
		y, err := os.ReadFile(filepath.Join(b, name))
		if err != nil {
			return false, err
		}
		if timeless(name, x) != timeless(name, y) {
			fmt.Printf("%s and %s: %s differs\n", a, b, name)
			return false, nil
		}
	}
	return true, nil
}

// timeless is a file's content without the times at the end of the lines.
func timeless(name string, text []byte) string {
	if name == weights {
		return string(text)
	}
	var all strings.Builder
	for line := range strings.Lines(string(text)) {
		if name == table {
			cells := strings.Split(line, ",")
			line = strings.Join(cells[:max(0, len(cells)-2)], ",")
		} else if before, _, ok := strings.Cut(line, `,"base_seconds"`); ok {
			line = before
		}
		all.WriteString(line + "\n")
	}
	return all.String()
}
