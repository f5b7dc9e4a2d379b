package peers

import "strconv"

// way is how PyTorch computes a step of a net for images.
type way struct {
	threads      int
	keep         bool // memory, by mallocSettings
	channelsLast bool
}

// ways are those that are measured.
func ways(net string, threads []int) (all []way) {
	for _, n := range threads {
		all = append(all, way{threads: n}, way{threads: n, keep: true})
		if net != mlpNet {
			all = append(all, way{threads: n, keep: true, channelsLast: true})
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
	return name
}

// mallocSettings keep glibc from giving memory back to the system between steps, which
// makes PyTorch faster.
var mallocSettings = []string{"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=17179869184", "MALLOC_TOP_PAD_=268435456"}

// torchName names PyTorch on the given number of threads.
func torchName(threads int) string {
	if threads == 0 {
		return "PyTorch"
	}
	return "PyTorch-" + strconv.Itoa(threads)
}
