package durable

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const stopEnv = "APO_TEST_STOP"

func TestUntilStopped(t *testing.T) {
	if os.Getenv(stopEnv) != "" {
		ctx, stop := UntilStopped(context.Background())
		defer stop()
		fmt.Println("ready")
		select {
		case <-ctx.Done():
			fmt.Println("saved")
		case <-time.After(time.Second):
			fmt.Println("went on")
		}
		return
	}
	if runtime.GOOS == "windows" {
		t.Skip("needs signals")
	}
	for _, c := range []struct {
		signal syscall.Signal
		shell  string
		want   string
	}{
		{syscall.SIGINT, "", "saved"}, {syscall.SIGTERM, "", "saved"}, {syscall.SIGHUP, "", "saved"},
		{syscall.SIGHUP, "trap '' HUP; ", "went on"},
	} {
		if c.shell == "" && signal.Ignored(c.signal) {
			t.Logf("%v is ignored here, as under nohup", c.signal)
			continue
		}
		child := exec.Command("sh", "-c", c.shell+`exec "$0" -test.run='^TestUntilStopped$'`, os.Args[0])
		child.Env = append(os.Environ(), stopEnv+"=1")
		var rest strings.Builder
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Skipf("no shell: %v", err)
		}
		buffer := make([]byte, 100)
		n, _ := out.Read(buffer)
		if err := child.Process.Signal(c.signal); err != nil {
			t.Fatal(err)
		}
		rest.Write(buffer[:n])
		for err == nil {
			n, err = out.Read(buffer)
			rest.Write(buffer[:n])
		}
		_ = child.Wait()
		if !strings.Contains(rest.String(), c.want) {
			t.Errorf("%s%v: %q, want %q", c.shell, c.signal, rest.String(), c.want)
		}
	}
}
