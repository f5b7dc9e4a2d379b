//go:build !amd64

package conv

// On other processors the methods of winoTiles do the work.

func fastTransform[T Float](*winoTiles[T], []T, int, []T, int, *[winoLanes]int32) bool { return false }

func fastSpread[T Float](*winoTiles[T], []T, int, []T, int, *[winoLanes]int32) bool { return false }

func fastResults[T Float](*winoTiles[T], []T, int, []T, int, *[winoLanes]int32) bool { return false }

func fastKernels[T Float](*winoTiles[T], []T, int, []T, int, int) bool { return false }

func fastKernelsBack[T Float](*winoTiles[T], []T, int, []T, int) bool { return false }
