package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"

	"github.com/pkg/errors"
)

// Read reads the checkpoint file path. A file whose beginning or sizes are not
// those of a checkpoint is refused before the rest is read. Errors name the file;
// their cause is one of the operating system (fs.ErrNotExist for a missing file) or
// one of Decode.
func Read(path string) (*Snapshot, error) {
	f, size, err := openSized(path)
	if err != nil {
		return nil, errors.Wrap(err, "trainers: read checkpoint")
	}
	defer f.Close()
	s, err := read(f, size)
	return s, errors.Wrapf(err, "trainers: checkpoint %s", path)
}

// Recognize reports whether a file begins like a checkpoint.
func Recognize(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	first := make([]byte, len(magic))
	_, err = io.ReadFull(f, first)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return false, nil
	}
	return string(first) == magic, err
}

// openSized opens a file for reading and returns its size.
func openSized(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.Errorf("%s is no file but %v", path, info.Mode().Type())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// Decode reads a checkpoint from the bytes of a file. The tensors are
// copies; b is not kept. Memory use is bounded by a multiple of len(b) whatever
// the sizes b claims.
//
// The cause of the error is ErrNewer for a version that this package does not know
// and ErrCorrupt for everything else that is wrong with b.
func Decode(b []byte) (*Snapshot, error) {
	return read(bytes.NewReader(b), int64(len(b)))
}

func read(r io.ReaderAt, size int64) (*Snapshot, error) {
	length, err := headerLength(r, size)
	if err != nil {
		return nil, err
	}
	header := make([]byte, length)
	if err := readAt(r, header, int64(prefixSize)); err != nil {
		return nil, err
	}
	end := size - sha256.Size
	data := int64(prefixSize) + length
	s, entries, err := readDirectory(header, end-data)
	if err == nil {
		err = s.readTensors(io.NewSectionReader(r, data, end-data), entries)
	}
	// A wrong checksum explains a bad header, so it is reported first.
	if altered := checkSum(r, end); altered != nil {
		return nil, altered
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// headerLength checks magic, version and lengths.
func headerLength(r io.ReaderAt, size int64) (int64, error) {
	prefix := make([]byte, min(size, int64(prefixSize)))
	if err := readAt(r, prefix, 0); err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(prefix, []byte(magic)) {
		return 0, corrupt("not a checkpoint file, it does not begin with %q", magic)
	}
	if size < int64(prefixSize+sha256.Size) {
		return 0, corrupt("truncated, only %d bytes", size)
	}
	version := binary.LittleEndian.Uint32(prefix[len(magic):])
	if version > formatVersion {
		return 0, errors.Wrapf(ErrNewer, "format %d, this version reads up to %d", version, formatVersion)
	}
	if version != formatVersion {
		return 0, corrupt("format %d never existed", version)
	}
	length := binary.LittleEndian.Uint64(prefix[len(magic)+4:])
	if length > uint64(size-int64(prefixSize+sha256.Size)) || length > maxHeader {
		return 0, corrupt("header of %d bytes does not fit into the file of %d bytes", length, size)
	}
	return int64(length), nil
}

// readDirectory reads the header and checks what it says of the tensors, whose
// elements have size bytes together. They are decoded entry by entry, so that a
// header full of empty entries costs nothing.
func readDirectory(header []byte, size int64) (*Snapshot, []entry, error) {
	var h struct {
		Meta    json.RawMessage `json:"meta"`
		Tensors json.RawMessage `json:"tensors"`
	}
	if err := json.Unmarshal(header, &h); err != nil {
		return nil, nil, corrupt("header: %v", err)
	}
	list := json.NewDecoder(bytes.NewReader(h.Tensors))
	if open, err := list.Token(); err != nil || open != json.Delim('[') {
		return nil, nil, corrupt("header without a list of tensors")
	}
	var entries []entry
	seen := make(map[string]bool)
	offset := 0
	for list.More() {
		var e entry
		if err := list.Decode(&e); err != nil {
			return nil, nil, corrupt("tensor %d: %v", len(entries), err)
		}
		if e.Name == "" || seen[e.Name] {
			return nil, nil, corrupt("tensor %d: name %q is empty or not unique", len(entries), e.Name)
		}
		seen[e.Name] = true
		if err := e.check(offset, size); err != nil {
			return nil, nil, err
		}
		entries = append(entries, e)
		offset += e.Length
	}
	if int64(offset) != size {
		return nil, nil, corrupt("%d bytes belong to no tensor", size-int64(offset))
	}
	return &Snapshot{Meta: h.Meta}, entries, nil
}

// check verifies what an entry says about its tensor, whose place is at offset of
// size bytes.
func (e entry) check(offset int, size int64) error {
	format, ok := formatNamed(e.Dtype)
	if !ok {
		return corrupt("tensor %q: unknown dtype %q", e.Name, e.Dtype)
	}
	length, err := byteSize(e.Shape, format.size)
	switch {
	case e.Shape == nil:
		return corrupt("tensor %q: no shape", e.Name)
	case err != nil:
		return corrupt("tensor %q: %v", e.Name, err)
	case length != e.Length:
		return corrupt("tensor %q: shape %v of %s needs %d bytes, length is %d", e.Name, e.Shape, e.Dtype, length, e.Length)
	case e.Offset != offset:
		return corrupt("tensor %q: offset %d, expected %d", e.Name, e.Offset, offset)
	case int64(length) > size-int64(offset):
		return corrupt("tensor %q: %d bytes, but only %d are left", e.Name, length, size-int64(offset))
	}
	return nil
}

// readTensors reads the tensors of the entries one after the other.
func (s *Snapshot) readTensors(r io.Reader, entries []entry) error {
	var buffer []byte
	for _, e := range entries {
		if len(buffer) < e.Length {
			buffer = make([]byte, e.Length)
		}
		if _, err := io.ReadFull(r, buffer[:e.Length]); err != nil {
			return readError(err)
		}
		format, _ := formatNamed(e.Dtype)
		value, err := format.read(e.Shape, buffer[:e.Length])
		if err != nil {
			return errors.Wrapf(err, "tensor %q", e.Name)
		}
		s.Tensors = append(s.Tensors, NamedTensor{Name: e.Name, Value: value})
	}
	return nil
}

// checkSum compares the checksum behind end with that of what is before.
func checkSum(r io.ReaderAt, end int64) error {
	stored := make([]byte, sha256.Size)
	if err := readAt(r, stored, end); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(r, 0, end)); err != nil {
		return readError(err)
	}
	if !bytes.Equal(sum.Sum(nil), stored) {
		return corrupt("checksum differs, the file is truncated or altered")
	}
	return nil
}

// readAt fills p from offset on.
func readAt(r io.ReaderAt, p []byte, offset int64) error { return readError(readFull(r, p, offset)) }

// readFull fills p from offset on; a file that ends before is io.ErrUnexpectedEOF.
func readFull(r io.ReaderAt, p []byte, offset int64) error {
	_, err := io.ReadFull(io.NewSectionReader(r, offset, int64(len(p))), p)
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readError is the error of a read: a file that ends early has become shorter.
func readError(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return corrupt("truncated while it was read")
	}
	return err
}
