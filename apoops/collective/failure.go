package collective

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/pkg/errors"
)

// MemberError is an error and the member on which it arose.
type MemberError struct {
	// Rank is that of the member, -1 where it is not the error of one of them.
	Rank int
	// Shared says that all members return it from the same call: none of them waits for
	// another one.
	Shared bool
	Err    error
}

// Error names the rank.
func (e *MemberError) Error() string {
	if e.Rank < 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("rank %d: %v", e.Rank, e.Err)
}

// Unwrap is the error without the rank.
func (e *MemberError) Unwrap() error { return e.Err }

// IsShared reports whether all members have the error, so that they can end in order. After
// another error a member ends with Abort: the others may wait for it.
func IsShared(err error) bool {
	var m *MemberError
	return errors.As(err, &m) && m.Shared
}

// JoinErrors lets all members know of an error of one: all call it at the same place, each
// with its own error or nil. Where none has an error it returns nil. Otherwise it returns a
// MemberError that is shared: that of the lowest rank or, where all have one, each member's
// own. Members other than the failed one get its text; where its cause is context.Canceled,
// so is theirs. An error of the call itself is not shared. With one member it returns err.
func JoinErrors(c Communicator, err error) error {
	if c.Size() == 1 || IsShared(err) {
		return err
	}
	failed := make([]float64, c.Size())
	if err != nil {
		failed[c.Rank()] = 1
	}
	if lost := Sum(c, failed); lost != nil {
		return either(err, lost)
	}
	first, count := -1, 0
	for r, f := range failed {
		if f == 0 {
			continue
		}
		if count++; first < 0 {
			first = r
		}
	}
	switch count {
	case 0:
		return nil
	case c.Size():
		return &MemberError{-1, true, err}
	}
	cause, lost := broadcastCause(c, first, err)
	if lost != nil {
		return either(err, lost)
	}
	if c.Rank() == first {
		cause = err
	}
	return &MemberError{first, true, cause}
}

// either is the first error that is one.
func either(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// longestCause is the longest text of an error that other members learn, in bytes.
const longestCause = 1024

// broadcastCause is the error of a member, as others can know it.
func broadcastCause(c Communicator, rank int, err error) (cause, lost error) {
	message := make([]byte, 1+longestCause) // the first byte tells whether it was cancelled
	if c.Rank() == rank {
		if errors.Is(err, context.Canceled) {
			message[0] = 1
		}
		copy(message[1:], err.Error())
	}
	if err := c.Broadcast(rank, message); err != nil {
		return nil, err
	}
	text := strings.ToValidUTF8(string(bytes.TrimRight(message[1:], "\x00")), "")
	if message[0] == 1 {
		return errors.WithMessage(context.Canceled, text), nil
	}
	return errors.New(text), nil
}

// OnFirst has rank 0 do what one member alone must do, such as writing a file. All members
// call it, and return its error.
func OnFirst(c Communicator, do func() error) error {
	var err error
	if c.Rank() == 0 {
		err = do()
	}
	return JoinErrors(c, err)
}

// AfterFirst has rank 0 do something before all others do it: what it has fetched is there
// for them. All members call it, and return the error of one.
func AfterFirst(c Communicator, do func() error) error {
	if err := OnFirst(c, do); err != nil {
		return err
	}
	var err error
	if c.Rank() > 0 {
		err = do()
	}
	return JoinErrors(c, err)
}
