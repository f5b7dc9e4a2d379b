// Package checkpoint has the file formats of a training.
//
// A checkpoint is a Snapshot: a JSON document and named tensors, with a checksum.
// Write replaces a file in a single step, so that it always holds a complete
// checkpoint; Read refuses a file that was cut or altered.
//
//	err := checkpoint.Write("run.ckpt", &checkpoint.Snapshot{
//		Meta:    json.RawMessage(`{"step":100}`),
//		Tensors: []checkpoint.NamedTensor{{Name: "w", Value: w}},
//	})
//	s, err := checkpoint.Read("run.ckpt")
//
// WriteSafetensors and ReadSafetensors exchange weights with other programs, package torch
// with PyTorch's names and axes; WriteNPY writes an array for NumPy. ReadWeights takes the
// weights of a checkpoint or of a safetensors file.
// Compare lists the settings in which a checkpoint and a training differ. What a
// Trainer puts into its checkpoints is decided in package trainers.
package checkpoint
