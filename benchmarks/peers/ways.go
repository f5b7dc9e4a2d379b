package peers

import "strconv"

// way is how PyTorch computes a step of a net for images.
type way struct {
	threads      int
	keep         bool // memory, by mallocSettings
	channelsLast bool
	foreach      bool   // Adam on lists of parameters
	precision    string // of torch_step.py
}

const (
	inSingle   = "float32"
	inBFloat16 = "bfloat16"
	byAutocast = "autocast"
)

// ways are those that are measured, in float32 or in bfloat16, by SGD or by Adam.
func ways(net string, threads []int, s settings) (all []way) {
	precisions, lists := []string{inSingle}, []bool{false}
	if s.low {
		precisions = []string{byAutocast, inBFloat16}
	}
	if s.rule == byAdam {
		lists = append(lists, true)
	}
	for _, n := range threads {
		for _, p := range precisions {
			for _, l := range lists {
				w := way{threads: n, foreach: l, precision: p}
				all = append(all, w)
				w.keep = true
				all = append(all, w)
				if w.channelsLast = true; net != mlpNet {
					all = append(all, w)
				}
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
	if w.foreach {
		name += "-foreach"
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
