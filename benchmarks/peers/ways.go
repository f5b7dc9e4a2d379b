package peers

import "strconv"

// way is how PyTorch computes a step of a net for images.
type way struct {
	threads      int
	keep         bool // memory, by mallocSettings
	channelsLast bool
	precision    string // of torch_step.py
}

const (
	inSingle   = "float32"
	inBFloat16 = "bfloat16"
	byAutocast = "autocast"
)

// ways are those that are measured, in float32 or in bfloat16.
func ways(net string, threads []int, low bool) (all []way) {
	precisions := []string{inSingle}
	if low {
		precisions = []string{byAutocast, inBFloat16}
	}
	for _, n := range threads {
		for _, p := range precisions {
			all = append(all, way{threads: n, precision: p}, way{threads: n, keep: true, precision: p})
			if net != mlpNet {
				all = append(all, way{threads: n, keep: true, channelsLast: true, precision: p})
			}
		}
	}
	return all
}

func (w way) name() string {
	name := torchName(w.threads)
	if w.keep {
		name += "-kept"
	}
	if w.channelsLast {
		name += "-last"
	}
	if w.precision != inSingle {
		name += "-" + w.precision
	}
	return name
}

// mallocSettings keep glibc from giving memory back to the system between steps, which
// makes PyTorch faster.
var mallocSettings = []string{"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=17179869184", "MALLOC_TOP_PAD_=268435456"}

// variables are those of the environment.
func (w way) variables() []string {
	if w.keep {
		return mallocSettings
	}
	return nil
}

// torchName names PyTorch on the given number of threads.
func torchName(threads int) string {
	if threads == 0 {
		return "PyTorch"
	}
	return "PyTorch-" + strconv.Itoa(threads)
}
