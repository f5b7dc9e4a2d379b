package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"slices"

	"github.com/pkg/errors"
)

// ReadSafetensors reads all tensors of the safetensors file path, in the order
// of their data. I64 becomes Int, F16 and BF16 become Float32, exactly. A file with
// any dtype other than these, F32, F64 and U64, or with a tensor without elements, is refused. Metadata are
// skipped. A file whose header or sizes are wrong is refused before the rest is
// read.
//
// Errors name the file; their cause is one of the operating system or, for a
// file that breaks the rules of the format, ErrCorruptSafetensors.
func ReadSafetensors(path string) ([]NamedTensor, error) {
	f, size, err := openSized(path)
	if err != nil {
		return nil, errors.Wrap(err, "trainers: read safetensors")
	}
	defer f.Close()
	tensors, err := readSafetensors(f, size)
	return tensors, errors.Wrapf(err, "trainers: safetensors %s", path)
}

// decodeSafetensors reads the bytes of a file.
func decodeSafetensors(b []byte) ([]NamedTensor, error) {
	return readSafetensors(bytes.NewReader(b), int64(len(b)))
}

// readSafetensors reads a file of that size. The tensors must cover the data
// without gaps and overlaps, so they cannot be larger than the file.
func readSafetensors(r io.ReaderAt, size int64) ([]NamedTensor, error) {
	const prefix = 8
	if size < prefix {
		return nil, corruptSafetensors("truncated, only %d bytes", size)
	}
	first := make([]byte, min(size, prefix+1))
	if err := readPart(r, first, 0); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(first)
	if length > uint64(size-prefix) || length > safetensorsMaxHeader {
		if zip, pickle := []byte("PK\x03\x04"), []byte("\x80\x02"); bytes.HasPrefix(first, zip) || bytes.HasPrefix(first, pickle) {
			return nil, corruptSafetensors("it may be a file of torch.save: safetensors.torch.save_file writes one that can be read")
		}
		return nil, corruptSafetensors("header of %d bytes in a file of %d bytes", length, size)
	}
	if length == 0 || first[prefix] != '{' {
		return nil, corruptSafetensors("the header is not a JSON object")
	}
	header := make([]byte, length)
	if err := readPart(r, header, prefix); err != nil {
		return nil, err
	}
	ranges, err := safetensorsRanges(header)
	if err != nil {
		return nil, err
	}
	begin := prefix + int64(length)
	if err := checkRanges(ranges, size-begin); err != nil {
		return nil, err
	}
	tensors := make([]NamedTensor, len(ranges))
	var buffer []byte
	for i, t := range ranges {
		if n := t.end - t.begin; len(buffer) < n {
			buffer = make([]byte, n)
		}
		part := buffer[:t.end-t.begin]
		if err := readPart(r, part, begin+int64(t.begin)); err != nil {
			return nil, err
		}
		value, err := t.format.read(t.shape, part)
		if err != nil {
			return nil, errors.Wrapf(err, "tensor %q", t.name)
		}
		tensors[i] = NamedTensor{Name: t.name, Value: value}
	}
	return tensors, nil
}

// readPart fills p from offset on.
func readPart(r io.ReaderAt, p []byte, offset int64) error {
	err := readFull(r, p, offset)
	if err == io.ErrUnexpectedEOF {
		return corruptSafetensors("truncated while it was read")
	}
	return err
}

// checkRanges sorts the tensors by their places and checks that they cover size
// bytes.
func checkRanges(ranges []safetensorsRange, size int64) error {
	slices.SortStableFunc(ranges, func(a, b safetensorsRange) int { return a.begin - b.begin })
	offset := 0
	for _, r := range ranges {
		if r.begin != offset {
			return corruptSafetensors("tensor %q begins at %d, expected %d", r.name, r.begin, offset)
		}
		if int64(r.end) > size {
			return corruptSafetensors("tensor %q ends at %d, but there are %d bytes of data", r.name, r.end, size)
		}
		offset = r.end
	}
	if int64(offset) != size {
		return corruptSafetensors("%d bytes belong to no tensor", size-int64(offset))
	}
	return nil
}

// safetensorsRange is a checked entry: end-begin is the size of the shape.
type safetensorsRange struct {
	name       string
	format     elementFormat
	shape      []int
	begin, end int
}

// safetensorsRanges reads the header key by key, to find keys that occur twice, and
// checks each entry by itself.
func safetensorsRanges(header []byte) ([]safetensorsRange, error) {
	keys := json.NewDecoder(bytes.NewReader(header))
	if open, err := keys.Token(); err != nil || open != json.Delim('{') {
		return nil, corruptSafetensors("the header is not a JSON object")
	}
	var ranges []safetensorsRange
	seen := make(map[string]bool)
	for keys.More() {
		key, err := keys.Token()
		if err != nil {
			return nil, corruptSafetensors("header: %v", err)
		}
		name, ok := key.(string)
		if !ok || name == "" || seen[name] {
			return nil, corruptSafetensors("name %q is empty or not unique", name)
		}
		seen[name] = true

		if name == safetensorsMetadata {
			var metadata map[string]string
			if err := keys.Decode(&metadata); err != nil {
				return nil, corruptSafetensors("metadata: %v", err)
			}
			continue
		}
		var e safetensorsEntry
		if err := keys.Decode(&e); err != nil {
			return nil, corruptSafetensors("tensor %q: %v", name, err)
		}
		r, err := e.check(name)
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, r)
	}
	if _, err := keys.Token(); err != nil { // the closing brace
		return nil, corruptSafetensors("header: %v", err)
	}
	if _, err := keys.Token(); err != io.EOF {
		return nil, corruptSafetensors("the header goes on after the JSON object")
	}
	return ranges, nil
}

// check verifies what an entry says about itself.
func (e safetensorsEntry) check(name string) (safetensorsRange, error) {
	var none safetensorsRange
	formats := slices.Concat(elementFormats, formats16)
	i := slices.IndexFunc(formats, func(f elementFormat) bool { return f.safetensors == e.Dtype })
	if i < 0 {
		return none, errors.Errorf("tensor %q: dtype %q is not F16, BF16, F32, F64, I64 or U64", name, e.Dtype)
	}
	if e.Shape == nil || len(e.Offsets) != 2 {
		return none, corruptSafetensors("tensor %q: no shape or not two offsets", name)
	}
	if slices.Contains(e.Shape, 0) {
		return none, errors.Errorf("tensor %q: shape %v has no elements", name, e.Shape)
	}
	format := formats[i]
	size, err := byteSize(e.Shape, format.size)
	if err != nil {
		return none, corruptSafetensors("tensor %q: %v", name, err)
	}
	begin, end := e.Offsets[0], e.Offsets[1]
	if begin < 0 || end < begin || end-begin != size {
		return none, corruptSafetensors("tensor %q: shape %v of %s needs %d bytes, offsets are %d and %d", name, e.Shape, e.Dtype, size, begin, end)
	}
	return safetensorsRange{name, format, e.Shape, begin, end}, nil
}

// corruptSafetensors makes an error with the cause ErrCorruptSafetensors.
func corruptSafetensors(format string, args ...any) error {
	return errors.Wrapf(ErrCorruptSafetensors, format, args...)
}
