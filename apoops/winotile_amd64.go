package apoops

import "golang.org/x/sys/cpu"

//go:noescape
func winoTransformAVX(v *float32, stride uintptr, b *winoTiles[float32], c *[6]float32)

//go:noescape
func winoResultsAVX(y *winoResults[float32], m *float32, stride uintptr, b *winoTiles[float32], c *[6]float32)

//go:noescape
func winoSpreadAVX(v *float32, stride uintptr, y *winoResults[float32], b *winoTiles[float32], c *[6]float32)

// useAVX is a variable for the tests.
var useAVX = cpu.X86.HasAVX

var (
	winoInputPoints  = [6]float32{winoA, winoB, winoA2, winoB2, winoAB, winoAA}
	winoResultPoints = [6]float32{winoA, winoB, winoA2, winoB2, winoA3, winoB3}
)

// The functions of this file do what the methods of winoTiles do, with the
// processor's vectors. They tell whether they could. The last row that is written
// or read is checked here, the strides are not negative.

func fastTransform[T Float](b *winoTiles[T], v []T, stride int) bool {
	t, ok := any(b).(*winoTiles[float32])
	if !ok || !useAVX {
		return false
	}
	to := any(v).([]float32)
	_ = to[(winoSize-1)*stride+winoLanes-1]
	winoTransformAVX(&to[0], uintptr(stride)*4, t, &winoInputPoints)
	return true
}

func fastSpread[T Float](b *winoTiles[T], y *winoResults[T], v []T, stride int) bool {
	t, ok := any(b).(*winoTiles[float32])
	if !ok || !useAVX {
		return false
	}
	to := any(v).([]float32)
	_ = to[(winoSize-1)*stride+winoLanes-1]
	winoSpreadAVX(&to[0], uintptr(stride)*4, any(y).(*winoResults[float32]), t, &winoResultPoints)
	return true
}

func fastResults[T Float](b *winoTiles[T], y *winoResults[T], m []T, stride int) bool {
	t, ok := any(b).(*winoTiles[float32])
	if !ok || !useAVX {
		return false
	}
	from := any(m).([]float32)
	_ = from[(winoSize-1)*stride+winoLanes-1]
	winoResultsAVX(any(y).(*winoResults[float32]), &from[0], uintptr(stride)*4, t, &winoResultPoints)
	return true
}
