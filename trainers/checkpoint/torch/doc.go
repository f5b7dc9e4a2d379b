// Package torch exchanges weights with PyTorch: the tensors of a state dict become the
// parameters of a model here, and back. A Map says by name which belong together.
//
//	m, err := torch.Modules(tr.Params(), map[string]string{"conv0": "features.0", "dense1": "classifier"})
//	err = tr.LoadTorch("lenet.safetensors", m) // written by safetensors.torch.save_file(net.state_dict(), …)
//	err = tr.SaveTorch("back.safetensors", m)  // for net.load_state_dict(safetensors.torch.load_file(…))
//
// These axes are moved, for inputs I, outputs O, channels C and kernels of H rows and W
// columns:
//
//	nn.Linear     weight O×I, bias O         (I+1)×O        w[i,o] = weight[o,i]               w[I,o] = bias[o]
//	nn.Conv2d     weight O×C×H×W, bias O     (C·H·W+1)×O    w[(c·H+h)·W+v,o] = weight[o,c,h,v]  w[C·H·W,o] = bias[o]
//
// A parameter here has one matrix for both, in which the bias is the last row; without a
// bias that row is missing. All else is stored as it is in PyTorch:
//
//	nn.BatchNorm  weight, bias, running_mean, running_var    scale, shift, mean, variance
//	nn.LayerNorm  weight, bias                               gain, shift
//	nn.Embedding  weight                                     the table
//
// In a graph of Gorgonia's of your own, name the tensors in a Map: a matrix W of x·W is the
// transpose of its weight, filters and vectors are stored as they are, and a bias that is a
// row, 1×O, is a Source with Vector.
//
// The counters num_batches_tracked of nn.BatchNorm are passed over, and PyTorch sets
// them to 0 where a state dict lacks them. The same numbers are not always the same
// function: layers.Embedding multiplies its rows by the root of their length, which
// nn.Embedding does not. nn.MultiheadAttention has three matrices in one tensor and
// fits no parameter here; attention with a module for each matrix does.
//
// Numbers are those of the file, exactly, but for float64 that becomes float32, which is
// rounded to nearest. Errors name the tensors and parameters that do not fit.
package torch
