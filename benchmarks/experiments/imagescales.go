package experiments

import "github.com/apo-gorgonia/apo/benchmarks/methods"

// imageBatch is the paper's batch size.
const imageBatch = 128

// epochs is the number of steps of n epochs. The last batch of an epoch is left out
// because it is not full.
func (s imageSet) epochs(n int) int { return n * (s.rows / imageBatch) }

// paperImages is the setting of the paper's runs.
func paperImages(s imageSet, net string, epochs int, d methods.Decay) Config {
	return Config{
		Net: net, Set: s.name, Steps: s.epochs(epochs), Batch: imageBatch, Rows: 10000, Augment: true, Evaluations: epochs,
		Decay: d, Dtype: "float32", L2: 5e-4,
	}
}

// smallImages is the setting of a run of few epochs, which needs no L2 penalty.
func smallImages(s imageSet, net string, epochs int, d methods.Decay) Config {
	c := paperImages(s, net, epochs, d)
	c.L2, c.Rows = 0, 5000
	return c
}

// smokeImages is the setting of a few steps on synthetic images.
func smokeImages(net string, d methods.Decay) Config {
	c := smallImages(synthetic, net, 2, d)
	c.Batch, c.Steps, c.Rows = 32, 24, 100
	if net != "lenet" {
		c.Batch, c.Steps = 16, 12
	}
	return c
}

// timedImages is the setting of a measurement of time. With 11 steps, the first of
// which does not count, work done every 10 steps has its share.
func timedImages(s imageSet, net string, steps int) Config {
	return Config{
		Net: net, Set: s.name, Steps: steps, Batch: imageBatch, Rows: imageBatch, TestRows: -1, Augment: true, Evaluations: 1, Dtype: "float32",
	}
}

// trialOf is the setting of a search's trials. They take the given number of steps
// and are evaluated on training images that are held out.
func trialOf(c Config, steps, validation int) Config {
	c.Steps, c.Validation, c.Rows, c.Evaluations = steps, validation, min(c.Rows, 2000), 1
	return c
}

// images is an experiment on a set of images. The caller completes it.
func images(s imageSet) *Experiment {
	return &Experiment{Data: s.title, Spaces: "images", Measure: TestAccuracy, Task: imageTask{}}
}

const (
	// imageChoices are the choices of all experiments on images.
	imageChoices = "batches of 128; random crops after padding by 4 and mirroring; pixels standardised by channel; float32; " +
		"tuned for the best accuracy on 5000 training images that are kept out of the search's trials"
	timedChoices = "; a net that is too large here is timed for a few steps at the small scale"
)
