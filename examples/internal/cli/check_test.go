package cli

import (
	"math"
	"strings"
	"testing"
)

func TestChecks(t *testing.T) {
	number := func(v float64) *float64 { return &v }
	minus, one, most := -1, 1, MostSteps+1
	for _, test := range []struct {
		err  error
		want string // of the message; "" for none
	}{
		{Between("n", 1, 1, 3), ""},
		{Between("n", 3, 1, 3), ""},
		{Between("n", 0, 1, 3), "-n 0: it must be from 1 to 3"},
		{Between("n", 4, 1, 3), "-n 4"},
		{Between("x", math.NaN(), 0, 1), "-x NaN"},
		{Weight("fsd", nil), ""},
		{Weight("fsd", number(0)), ""},
		{Weight("fsd", number(math.Inf(1))), "-fsd +Inf"},
		{Weight("fsd", number(-1)), "-fsd -1"},
		{Rate("lr", nil), ""},
		{Rate("lr", number(1e-9)), ""},
		{Rate("lr", number(0)), "-lr 0: it must be above 0"},
		{Rate("lr", number(math.NaN())), "-lr NaN"},
		{Count("k", nil), ""},
		{Count("k", &one), ""},
		{Count("k", &minus), "-k -1"},
		{Count("k", &most), "-k 1000000001"},
		{First(nil, Rate("a", number(0)), Rate("b", number(0))), "-a"},
		{First(nil, nil), ""},
	} {
		if (test.err == nil) != (test.want == "") || test.err != nil && !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("got %v, want %q", test.err, test.want)
		}
	}
}

// TestNet has nets within and beyond the memory of any machine.
func TestNet(t *testing.T) {
	for _, test := range []struct {
		widths []int
		batch  int
		want   string
	}{
		{[]int{784, 1000, 1000, 10}, 128, ""},
		{[]int{784, 10}, 1, ""},
		{[]int{784, 1_000_000_000_000, 10}, 128, "-hidden: a net of 7.95e+14 parameters on batches of 128 rows needs 14.8 PB of memory or more"},
		{[]int{784, math.MaxInt, math.MaxInt, 10}, math.MaxInt, "EB"},
		{[]int{784, 1_000_000, 10}, 100_000_000, "-hidden"}, // its values, not its weights
		{[]int{784, -1, 10}, 1, "-1 is not a width"},
		{[]int{784, 0, 10}, 1, "0 is not a width"},
		{make([]int, 103), 1, "101 layers: it must be 100 or fewer"},
	} {
		err := Net("hidden", test.widths, test.batch, 4)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.40v: got %v, want %q", test.widths, err, test.want)
		}
	}
	if n := MachineMemory(); n < 1<<26 {
		t.Errorf("the machine has %d bytes", n)
	}
}
