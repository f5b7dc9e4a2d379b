//go:build unix

package guard

import (
	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

func newRooms(count, size int) (*Rooms, error) {
	page := unix.Getpagesize()
	size = (size + page - 1) / page * page
	var all [][]byte
	r := &Rooms{close: func() {
		for _, b := range all {
			_ = unix.Munmap(b)
		}
	}}
	for range count {
		b, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			r.Close()
			return nil, errors.Wrap(err, "guard: pages")
		}
		all = append(all, b)
		for _, closed := range [][]byte{b[:page], b[page+size:]} {
			if err := unix.Mprotect(closed, unix.PROT_NONE); err != nil {
				r.Close()
				return nil, errors.Wrap(err, "guard: pages that cannot be read")
			}
		}
		r.rooms = append(r.rooms, b[page:page+size])
	}
	return r, nil
}
