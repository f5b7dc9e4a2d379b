package report

// drawComputed draws the result of an experiment that trains nothing.
func (s *section) drawComputed(string) ([]figure, error) { return nil, nil }
