package report

import "fmt"

// references are the methods to whose runs the table of times compares.
var references = []string{"sgdm", "adam", "kfac"}

// timeTable compares the methods by the seconds in training steps: the losses at equal
// seconds, and the times to equal losses. It is empty without two methods.
func (s *section) timeTable() string {
	t := table{head: []string{"method", "seconds"}}
	var known []*series
	for _, name := range references {
		if r := s.find(name); r != nil {
			known = append(known, r)
			t.head = append(t.head, fmt.Sprintf("training loss after the %s s of %s", seconds(r.seconds()), r.label))
		}
	}
	if len(known) == 0 || len(s.series) < 2 || s.parallel() {
		return ""
	}
	for _, r := range known {
		t.head = append(t.head, fmt.Sprintf("seconds to %s's %s", r.label, number(r.final().median)))
	}
	for _, r := range s.series {
		row := []string{r.label, number(r.seconds())}
		for _, o := range known {
			at := o.seconds()
			cell := number(r.lossAfter(at))
			if at > r.seconds() {
				cell += " (at its end)"
			}
			row = append(row, cell)
		}
		for _, o := range known {
			row = append(row, seconds(r.timeTo(o.final().median)))
		}
		t.add(row...)
	}
	return t.String()
}
