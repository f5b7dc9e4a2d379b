package peers

import (
	"encoding/json"
	"os"
	"time"

	"github.com/pkg/errors"
)

// record is one line of the file of measurements. Its net is called contest there,
// as in files of the first version.
type record struct {
	Time  string `json:"time"` // of writing
	Net   string `json:"contest"`
	Side  string `json:"side"`
	Round int    `json:"round"`
	Batch int    `json:"batch"`
	// Optimizer is the update rule, none of a translation.
	Optimizer string `json:"optimizer,omitempty"`
	Steps     int    `json:"steps"`
	Warmup    int    `json:"warmup"`
	measurement
}

// add appends the record to a file. It does nothing if path is "".
func (r record) add(path string) error {
	if path == "" {
		return nil
	}
	r.Targets = nil // a thousand sentences
	r.Time = time.Now().UTC().Format(time.RFC3339)
	line, err := json.Marshal(r)
	if err != nil {
		return errors.Wrap(err, "measurement")
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return errors.Wrap(err, "measurements")
	}
	_, err = f.Write(append(line, '\n'))
	if closed := f.Close(); err == nil {
		err = closed
	}
	return errors.Wrapf(err, "measurements %s", path)
}
