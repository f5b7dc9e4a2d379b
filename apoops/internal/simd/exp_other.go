//go:build !amd64

package simd

func expsVector([]float64) bool                               { return false }
func expBlockVector([]float64, []float32, float64) bool       { return false }
func expRowVector(*Lanes, []float32, []float32, float64) bool { return false }
func sumExpVector(*Lanes, []float32, float64) bool            { return false }
func maxVector([]float32) (float32, bool)                     { return 0, false }

func expLessVector(_, _ []float32, _, _, _ float64) bool { return false }

func logistic([]float64) {} // the level is Off
