package trainers_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// Two members train on halves of each mini-batch, here in one process. Batch norm takes
// the statistics of the whole.
func ExampleParallel() {
	members := collective.Local(2)
	trained := make([]*trainers.Trainer, len(members))
	var group sync.WaitGroup
	for i, comm := range members {
		group.Go(func() {
			model := layers.Sequential(layers.Dense(2, 8, apoops.Identity), layers.BatchNorm(8, apoops.TanhAct), layers.Dense(8, 2, apoops.Identity))
			tr, err := trainers.New(model, graph.SoftmaxCrossEntropy, trainers.SGDm(0.1), trainers.Parallel(comm, trainers.JointBatchNorm()))
			if err != nil {
				log.Fatal(err)
			}
			train(tr, 20)
			trained[i] = tr
		})
	}
	group.Wait()
	for i, p := range trained[0].Params() {
		fmt.Println(p.Name, p.Value.Eq(trained[1].Params()[i].Value))
	}
	// Output:
	// dense0 true
	// bn1/scale true
	// bn1/shift true
	// bn1/mean true
	// bn1/variance true
	// dense2 true
}

// Weights of bfloat16 have 8 significant bits. Here momentum alone stays in float32.
func ExamplePrecision() {
	tr := start(trainers.SGDm(0.1), trainers.Precision(apoops.BFloat16, precision.InFloat32(precision.Momentum)))
	train(tr, 50)
	all := true
	for _, p := range tr.Params() {
		for _, w := range p.Value.Float32s() {
			all = all && w == apoops.Round16(apoops.BFloat16, w)
		}
	}
	fmt.Println(all)
	// Output: true
}

// Weights go to a PyTorch module with the layers fc1 and fc2, and come back.
func ExampleTrainer_SaveTorch() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "net.safetensors")

	tr := start(trainers.Adam(0.01))
	m, err := torch.Modules(tr.Params(), map[string]string{"dense0": "fc1", "dense1": "fc2"})
	if err != nil {
		log.Fatal(err)
	}
	if err := tr.SaveTorch(path, m); err != nil {
		log.Fatal(err)
	}
	stored, err := checkpoint.ReadSafetensors(path)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range stored {
		fmt.Println(t.Name, t.Value.Shape())
	}

	other := start(trainers.Adam(0.01), trainers.Seed(2))
	if err := other.LoadTorch(path, m); err != nil {
		log.Fatal(err)
	}
	fmt.Println(other.Params()[0].Value.Eq(tr.Params()[0].Value))
	// Output:
	// fc1.weight (8, 2)
	// fc1.bias (8)
	// fc2.weight (2, 8)
	// fc2.bias (2)
	// true
}

// The gradients of the last step: ∇J_B(θ), and ∂Q/∂φ, in which it is that of the loss.
func ExampleTrainer_LastMetaGradient() {
	tr := start(trainers.SGD(0.001))
	train(tr, 2)
	for _, g := range append(tr.LastGradient(), tr.LastMetaGradient()...) {
		fmt.Println(g.Name, g.Value.Shape())
	}
	fmt.Println("a larger rate lowers Q:", tr.LastMetaGradient()[0].Value.Float64s()[0] < 0)
	// Output:
	// dense0 (3, 8)
	// dense1 (9, 2)
	// lr/0 (1)
	// a larger rate lowers Q: true
}
