//go:build !amd64

package conv

func winoVectors() bool { return false }

func (*winoRoom) fastInput([]float32, int, []float32, int) bool            { return false }
func (*winoRoom) fastSpread([]float32, int, []float32, int) bool           { return false }
func (*winoRoom) fastResult([]float32, int, []float32, int, *winoVec) bool { return false }
func (*winoProduct) fast(_, _, _ []float32) bool                           { return false }
