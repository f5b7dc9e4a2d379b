package scaling

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// linkEnv asks for TestLimitedLink, which needs a machine that does nothing else.
const linkEnv = "APO_LINK"

// agent starts Open MPI's daemon of the second process in its namespace, on a host of its
// own name.
const agent = `#!/bin/sh
shift
exec ip netns exec %[1]s unshare --uts sh -c "hostname %[1]s; $*"
`

// link makes two network namespaces that a link of the given bandwidth joins, and returns
// the command that starts a process in each.
func link(t *testing.T, rate string) (mpirun string) {
	t.Helper()
	first, second := fmt.Sprintf("apo%da", os.Getpid()), fmt.Sprintf("apo%db", os.Getpid())
	for _, name := range []string{"ip", "tc", "unshare", "mpirun.openmpi"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not on this machine", name)
		}
	}
	t.Cleanup(func() {
		for _, ns := range []string{first, second} {
			exec.Command("ip", "netns", "del", ns).Run() // its end of the link goes too
		}
	})
	commands := []string{"ip netns add " + first, "ip netns add " + second,
		fmt.Sprintf("ip link add %[1]s netns %[1]s type veth peer name %[2]s netns %[2]s", first, second)}
	for i, ns := range []string{first, second} {
		commands = append(commands,
			fmt.Sprintf("ip -n %[1]s addr add 10.77.0.%[2]d/24 dev %[1]s", ns, i+1),
			fmt.Sprintf("ip -n %s link set lo up", ns),
			fmt.Sprintf("ip -n %[1]s link set %[1]s up", ns),
			// A larger burst would let small sums pass at any rate, a shorter queue drop packets.
			fmt.Sprintf("tc -n %[1]s qdisc add dev %[1]s root tbf rate %[2]s burst 128kb latency 400ms", ns, rate))
	}
	for _, c := range commands {
		words := strings.Fields(c)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%s: %v: %s", c, err, out)
		}
	}
	script := filepath.Join(t.TempDir(), "agent")
	if err := os.WriteFile(script, []byte(fmt.Sprintf(agent, second)), 0o755); err != nil {
		t.Fatal(err)
	}
	const network = "10.77.0.0/24"
	return fmt.Sprintf("ip netns exec %s mpirun.openmpi --allow-run-as-root --mca plm_rsh_agent %s --host 10.77.0.1:1,10.77.0.2:1 "+
		"--mca pml ob1 --mca btl tcp,self --mca btl_tcp_if_include %s --mca oob_tcp_if_include %s", first, script, network, network)
}

// TestLimitedLink measures the steps of two processes that a link of 200 Mbit/s joins. The
// model, with latency and bandwidth from sums over that link, is within 25 % of them.
func TestLimitedLink(t *testing.T) {
	if os.Getenv(linkEnv) == "" {
		t.Skipf("set %s=1 to measure steps over a link of limited bandwidth, as root, on a machine that does nothing else", linkEnv)
	}
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := run("-only", "mlp", "-rules", "sgdm", "-rounds", "2", "-seconds", "2", "-largest", "8", "-mpirun", link(t, "200mbit"), "-out", out)
	t.Log(stdout)
	if code != 0 {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	text, err := os.ReadFile(filepath.Join(out, "measurements.json"))
	var r results
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	if b := r.Shared.Bandwidth * 8 / 1e6; !(b > 50 && b < 210) { // data in both directions, and replies
		t.Errorf("the link of 200 Mbit/s has %.0f", b)
	}
	two := 0
	for _, c := range r.Comparisons {
		if c.Processes != 2 {
			continue
		}
		two++
		if ratio := c.Measured / c.Predicted; !(ratio > 0.75 && ratio < 1.25) {
			t.Errorf("batch %d: a step takes %s, %s are predicted", c.Batch, timeText(c.Measured), timeText(c.Predicted))
		}
	}
	if two != 2 {
		t.Errorf("%d comparisons", two)
	}
}
