package trainers

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

// normal is v as JSON gives it back, with numbers as they are written.
func normal(v map[string]any) (out map[string]any, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, errors.Wrap(err, "trainers: settings")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return out, errors.Wrap(dec.Decode(&out), "trainers: settings")
}

// settingsDifferences tells of each setting in which a checkpoint and this training
// differ. Settings that one of them does not name, being of another version of the
// library, are passed over.
func settingsDifferences(stored, own map[string]any) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if v, ok := stored[name]; ok {
			all = append(all, differences(name, v, own[name])...)
		}
	}
	return all
}

// differences tells where a setting of a checkpoint and of this training differ.
func differences(name string, stored, own any) []string {
	switch s := stored.(type) {
	case map[string]any:
		o, ok := own.(map[string]any)
		if !ok {
			break
		}
		both := maps.Clone(s)
		maps.Copy(both, o)
		var all []string
		for _, key := range slices.Sorted(maps.Keys(both)) {
			all = append(all, differences(name+"."+key, s[key], o[key])...)
		}
		return all
	case []any:
		if o, ok := own.([]any); ok {
			return listDifferences(name, s, o)
		}
	}
	if reflect.DeepEqual(stored, own) {
		return nil
	}
	return []string{fmt.Sprintf("%s %s, this training has %s", name, shown(stored), shown(own))}
}

func listDifferences(name string, stored, own []any) []string {
	if len(stored) == len(own) {
		var all []string
		for i, v := range stored {
			all = append(all, differences(fmt.Sprintf("%s[%d]", name, i), v, own[i])...)
		}
		return all
	}
	return []string{fmt.Sprintf("%d %s, this training has %d%s%s", len(stored), name, len(own),
		only("in the checkpoint", stored, own), only("here", own, stored))}
}

// only lists the first of what a list has and the other has not.
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

// joined makes one text of differences.
func joined(all []string) string {
	const most = 10
	if more := len(all) - most; more > 0 {
		all = append(all[:most:most], fmt.Sprintf("%d more differences", more))
	}
	return "written with " + strings.Join(all, "; with ")
}
