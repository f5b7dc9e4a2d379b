package collective

import (
	"encoding/binary"
	"hash/fnv"
)

// Differing are the ranks whose data is not that of rank 0, by a hash of 64 bits: the same
// on all members, nil where all agree.
func Differing(c Communicator, data []byte) ([]int, error) {
	h := fnv.New64a()
	h.Write(data)
	own := h.Sum64()
	first := binary.LittleEndian.AppendUint64(nil, own)
	if err := c.Broadcast(0, first); err != nil {
		return nil, err
	}
	differs := make([]float64, c.Size())
	if binary.LittleEndian.Uint64(first) != own {
		differs[c.Rank()] = 1
	}
	if err := Sum(c, differs); err != nil {
		return nil, err
	}
	var ranks []int
	for r, d := range differs {
		if d != 0 {
			ranks = append(ranks, r)
		}
	}
	return ranks, nil
}
