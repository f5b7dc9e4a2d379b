package torch

import (
	"fmt"
	"strings"

	"github.com/pkg/errors"
)

// problems has a line for all that does not fit, so that one run shows it.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// err has the first ten lines.
func (p problems) err() error {
	const most = 10
	if len(p) == 0 {
		return nil
	}
	if more := len(p) - most; more > 0 {
		p = append(p[:most:most], fmt.Sprintf("and %d more", more))
	}
	return errors.New(strings.Join(p, "; "))
}
