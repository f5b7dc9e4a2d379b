package datasets

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"

	"github.com/pkg/errors"
)

// open unpacks raw and compares the content with what is known of file f: the
// number of rows always, size and checksum if checksum is set. More than limit
// bytes are refused.
func (f file) open(raw []byte, checksum bool, limit int64) ([]byte, error) {
	content, err := unpack(raw, f, limit)
	if err != nil {
		return nil, err
	}
	if f.rows > 0 {
		if rows := dataRows(content); rows != f.rows {
			return nil, errors.Errorf("%d data rows, the full file has %d", rows, f.rows)
		}
	}
	if known := checksum && f.size > 0; !known && int64(len(content)) > limit {
		return nil, errors.Errorf("more than %d bytes of content", limit)
	}
	if !checksum {
		return content, nil
	}
	if f.size > 0 && int64(len(content)) != f.size {
		return nil, errors.Errorf("%d bytes of content, want %d", len(content), f.size)
	}
	if f.sum != "" {
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != f.sum {
			return nil, errors.Errorf("content has sha256 %s, want %s", got, f.sum)
		}
	}
	return content, checkMD5(content, f.md5)
}

// hasSum reports whether a checksum of the content is published.
func (f file) hasSum() bool { return f.sum != "" || f.md5 != "" }

// checkMD5 compares content with a published MD5 sum, "" for none. It guards
// against damage, not against malice.
func checkMD5(content []byte, want string) error {
	if want == "" {
		return nil
	}
	sum := md5.Sum(content)
	if got := hex.EncodeToString(sum[:]); got != want {
		return errors.Errorf("content has md5 %s, want %s", got, want)
	}
	return nil
}

// dataRows counts the lines below the first; those before it may be empty.
func dataRows(content []byte) int {
	content = bytes.TrimPrefix(content, []byte(byteOrderMark))
	return bytes.Count(bytes.Trim(content, "\r\n"), []byte{'\n'})
}
