//go:build !amd64

package half

func packVector(Format, []uint16, []float32) int   { return 0 }
func expandVector(Format, []float32, []uint16) int { return 0 }
func roundVector(Format, []float32) int            { return 0 }
func drawVector([]uint16, []float32, uint64) int   { return 0 }
func redrawVector([]float32, uint64) int           { return 0 }
