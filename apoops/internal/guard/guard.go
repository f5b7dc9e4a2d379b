package guard

import "unsafe"

// Rooms are pieces of memory between pages that can be neither read nor written. The arrays
// of a test take them in turn: each is valid until all others have been taken.
type Rooms struct {
	// AtEnd puts arrays where memory ends, and not where it begins.
	AtEnd bool

	rooms [][]byte
	next  int
	close func()
}

// New makes so many rooms of at least size bytes. It fails where the system has no such pages.
func New(count, size int) (*Rooms, error) { return newRooms(count, size) }

// Next is memory of n bytes, no more than a room has, in the next room.
func (r *Rooms) Next(n int) unsafe.Pointer {
	room := r.rooms[r.next%len(r.rooms)]
	r.next++
	from := 0
	if r.AtEnd {
		from = len(room) - n
	}
	return unsafe.Pointer(unsafe.SliceData(room[from:][:n]))
}

// Slice is an array of n elements in the next room.
func Slice[T any](r *Rooms, n int) []T {
	var one T
	return unsafe.Slice((*T)(r.Next(n*int(unsafe.Sizeof(one)))), n)
}

// Close gives the memory back.
func (r *Rooms) Close() { r.close() }
