package scaling

import (
	"strings"

	"github.com/pkg/errors"
)

// net is one that is trained, from package peers.
type net struct {
	name, label, unit string
	// small are the sizes of batches by which the time of an example is found.
	small [2]int
	// batches are those of the predictions.
	batches []int
	// measured says that steps of it are compared with the predictions.
	measured bool
}

var nets = []net{
	{"mlp", "MLP", "images", small, images, true},
	{"lenet", "LeNet", "images", small, images, true},
	{"resnet18", "ResNet-18", "images", small, images, true},
	{"resnet32", "ResNet-32", "images", small, images, false},
	{"transformer", "Transformer", "tokens", [2]int{512, 2048}, []int{4096}, false},
}

// small differs from images, so that those test what is found by it.
var (
	small  = [2]int{16, 64}
	images = []int{128, 512}
)

// perProcess is the size of each process's part where the batch grows with their number.
func (n net) perProcess() int { return n.batches[0] }

func findNet(name string) (net, error) {
	for _, n := range nets {
		if n.name == name {
			return n, nil
		}
	}
	return net{}, errors.Errorf("no net %q, only %s", name, netNames())
}

func netNames() string {
	var all []string
	for _, n := range nets {
		all = append(all, n.name)
	}
	return strings.Join(all, ",")
}
