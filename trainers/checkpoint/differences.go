package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// Settings is v as it comes back from JSON, so that it can be compared with what a
// checkpoint holds. Numbers keep their text.
func Settings(v map[string]any) (out map[string]any, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, errors.Wrap(err, "trainers: settings")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return out, errors.Wrap(dec.Decode(&out), "trainers: settings")
}

// Differences has a line for each difference between a checkpoint and the training
// that is to go on from it.
type Differences []string

// Compare compares the settings of a checkpoint, read from JSON, with those of this
// training, from Settings. A setting that only one of them has belongs to another
// version of the library and is no difference.
func Compare(stored, own map[string]any) Differences {
	var all Differences
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if v, ok := stored[name]; ok {
			all = append(all, compare(name, v, own[name])...)
		}
	}
	return all
}

// String makes one text of the differences, of the first ten if there are more.
func (d Differences) String() string {
	const most = 10
	if more := len(d) - most; more > 0 {
		d = append(d[:most:most], fmt.Sprintf("%d more differences", more))
	}
	return "written with " + strings.Join(d, "; with ")
}

// compare lists the differences within one setting.
func compare(name string, stored, own any) Differences {
	switch s := stored.(type) {
	case map[string]any:
		o, ok := own.(map[string]any)
		if !ok {
			break
		}
		both := maps.Clone(s)
		maps.Copy(both, o)
		var all Differences
		for _, key := range slices.Sorted(maps.Keys(both)) {
			all = append(all, compare(name+"."+key, s[key], o[key])...)
		}
		return all
	case []any:
		if o, ok := own.([]any); ok {
			return compareLists(name, s, o)
		}
	}
	if reflect.DeepEqual(stored, own) {
		return nil
	}
	return Differences{fmt.Sprintf("%s %s, this training has %s", name, shown(stored), shown(own))}
}

func compareLists(name string, stored, own []any) Differences {
	if len(stored) == len(own) {
		var all Differences
		for i, v := range stored {
			all = append(all, compare(fmt.Sprintf("%s[%d]", name, i), v, own[i])...)
		}
		return all
	}
	return Differences{fmt.Sprintf("%d %s, this training has %d%s%s", len(stored), name, len(own),
		only("in the checkpoint", stored, own), only("here", own, stored))}
}

// only lists the first elements of a list that the other list lacks.
func only(where string, list, other []any) string {
	const most = 5
	var all []string
	for _, v := range list {
		if !slices.ContainsFunc(other, func(o any) bool { return reflect.DeepEqual(o, v) }) {
			all = append(all, fmt.Sprint(v))
		}
	}
	if all == nil {
		return ""
	}
	if len(all) > most {
		all = append(all[:most], fmt.Sprintf("%d more", len(all)-most))
	}
	return fmt.Sprintf(" (only %s: %s)", where, strings.Join(all, "; "))
}

func shown(v any) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprint(v)
}
