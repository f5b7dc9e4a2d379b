package collective

// Gather are the data of all members, by rank, on all of them. Their lengths may differ.
func Gather(c Communicator, data []byte) ([][]byte, error) {
	lengths := make([]float64, c.Size())
	lengths[c.Rank()] = float64(len(data))
	if err := Sum(c, lengths); err != nil {
		return nil, err
	}
	all := make([][]byte, c.Size())
	for r, n := range lengths {
		all[r] = make([]byte, int(n))
		if r == c.Rank() {
			copy(all[r], data)
		}
		if err := c.Broadcast(r, all[r]); err != nil {
			return nil, err
		}
	}
	return all, nil
}
