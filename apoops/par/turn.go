package par

import (
	"runtime"
	"sync/atomic"
	"time"
)

// slice is how long a goroutine runs loops before it goes through the runtime's scheduler.
// At 10 ms the runtime would interrupt it, and take its place from a foreign call that is
// under way: see Foreign.
const slice = 5 * time.Millisecond

// turn knows when a goroutine last went through the scheduler.
type turn struct{ last atomic.Int64 }

// callers is the turn of the goroutines that call For.
var callers turn

var began = time.Now()

func (t *turn) pass() {
	now := int64(time.Since(began))
	if last := t.last.Load(); now-last >= int64(slice) && t.last.CompareAndSwap(last, now) {
		runtime.Gosched()
	}
}
