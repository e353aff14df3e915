package sandbox_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/sandbox"
)

func TestTheAccountOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home", "sandbox.json")
	synctest.Test(t, func(t *testing.T) {
		w := open(t, sandbox.Options{Path: path, Seed: 7, AccountID: "444455556666"})
		n := w.network()
		w.profile("host")
		w.fileSystem("one")
		w.settle()
		w.run(w.launch(n))
		w.ok(nil, w.account.AddFault(sandbox.Fault{
			Service: "EC2", Operation: "CreateVpc", Effect: sandbox.EffectError, Code: "VpcLimitExceeded", Skip: 1, Count: 1,
		}))
		w.ok(nil, w.account.SetQuota("L-1216C47A", 3))
		then := w.account.Clock().Now()
		time.Sleep(time.Hour)

		later := open(t, sandbox.Options{Path: path})
		if now := later.account.Clock().Now(); now.Sub(then) < time.Hour {
			t.Errorf("the clock went from %v to %v", then, now)
		}
		if diff := cmp.Diff(string(w.account.Dump()), string(later.account.Dump())); diff != "" {
			t.Errorf("the account changed on disk:\n%s", diff)
		}
		if faults := later.account.Faults(); len(faults) != 1 || faults[0].Skip != 1 {
			t.Errorf("faults %+v", faults)
		}
		w.refused("VcpuLimitExceeded")(later.ec2.RunInstances(later.ctx, later.launch(n)))
		later.vpc("10.50.0.0/16")
		w.refused("VpcLimitExceeded")(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.51.0.0/16")}))
	})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte("444455556666")) {
		t.Errorf("snapshot %.100s, %v", text, err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".sandbox-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files %v, %v", left, err)
	}
}

func TestTimeDoesNotGoBackBetweenProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.json")
	synctest.Test(t, func(t *testing.T) {
		w := open(t, sandbox.Options{Path: path, Speed: 2000})
		id := w.fileSystem("one")
		w.ok(w.efs.DeleteFileSystem(w.ctx, &efs.DeleteFileSystemInput{FileSystemId: &id}))
		w.ok(nil, w.account.Clock().Sleep(w.ctx, time.Minute))
		w.refused("FileSystemNotFound")(w.efs.DescribeFileSystems(w.ctx, &efs.DescribeFileSystemsInput{FileSystemId: &id}))
		then := w.account.Clock().Now()
		w.ok(nil, w.account.Close())

		later := open(t, sandbox.Options{Path: path})
		if now := later.account.Clock().Now(); now.Before(then) {
			t.Errorf("the clock went from %v back to %v", then, now)
		}
		later.refused("FileSystemNotFound")(later.efs.DescribeFileSystems(later.ctx, &efs.DescribeFileSystemsInput{FileSystemId: &id}))
		w.ok(nil, sandbox.Reset(path))
		w.ok(nil, later.account.Close())
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("an account that was reset is there again: %v", err)
		}
	})
}

func TestTwoProcessesShareTheAccount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.json")
	synctest.Test(t, func(t *testing.T) {
		one, two := open(t, sandbox.Options{Path: path}), open(t, sandbox.Options{Path: path})
		var both sync.WaitGroup
		for n, w := range []*world{one, two} {
			both.Go(func() {
				for i := range 20 {
					token := fmt.Sprintf("token-%d-%d", n, i)
					if _, err := w.efs.CreateFileSystem(w.ctx, &efs.CreateFileSystemInput{CreationToken: &token}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		both.Wait()
		if made := one.account.Inventory()["file-system"]; len(made) != 40 {
			t.Errorf("%d file systems, want 40: a write was lost", len(made))
		}
		if diff := cmp.Diff(one.account.Inventory(), two.account.Inventory()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestADamagedFileIsNamed(t *testing.T) {
	for name, text := range map[string]string{
		"cut short": `{"format":1,"regions":{`, "empty": "", "of a later version": `{"format":99,"regions":{"us-east-1":{}}}`, "something else": `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sandbox.json")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := sandbox.Open(sandbox.Options{Path: path})
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "geusemaker sandbox reset") {
				t.Errorf("got %v", err)
			}
			if kept, err := os.ReadFile(path); err != nil || string(kept) != text {
				t.Errorf("the file was changed to %q, %v", kept, err)
			}
		})
	}
}

func TestARefusedCallLeavesTheFileAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.json")
	synctest.Test(t, func(t *testing.T) {
		w := open(t, sandbox.Options{Path: path})
		before, err := os.ReadFile(path)
		w.ok(nil, err)
		w.refused("InvalidVpc.Range")(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/8")}))
		w.ok(w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{}))
		after, err := os.ReadFile(path)
		w.ok(nil, err)
		if !bytes.Equal(before, after) {
			t.Error("the file was written")
		}
	})
}

func TestEqualSeedsMakeEqualAccounts(t *testing.T) {
	made := func(seed uint64) (text string) {
		synctest.Test(t, func(t *testing.T) {
			w := open(t, sandbox.Options{Seed: seed})
			w.network()
			text = fmt.Sprint(w.account.Inventory())
		})
		return text
	}
	first, again := made(1), made(1)
	if first != again {
		t.Error("the same seed made two accounts")
	}
	if first == made(2) {
		t.Error("another seed made the same account")
	}
}

func TestSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, err := sandbox.Open(sandbox.Options{Speed: 20})
		if err != nil {
			t.Fatal(err)
		}
		clock, wall := account.Clock(), time.Now()
		virtual := clock.Now()
		if err := clock.Sleep(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(wall); took != 3*time.Second || clock.Now().Sub(virtual) != time.Minute {
			t.Errorf("a virtual minute took %v and moved the clock by %v", took, clock.Now().Sub(virtual))
		}
	})
}

func TestTheInventoryOfANewAccountIsEmpty(t *testing.T) {
	inBubble(t, func(w *world) {
		if all := w.account.Inventory(); len(all) != 0 {
			w.Errorf("%v", all)
		}
		w.network()
		want := []string{"internet-gateway", "route-table", "security-group", "subnet", "vpc"}
		var kinds []string
		for kind := range w.account.Inventory() {
			kinds = append(kinds, kind)
		}
		if diff := cmp.Diff(want, names(kinds)); diff != "" {
			w.Error(diff)
		}
	})
}

func TestResetStartsOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.json")
	synctest.Test(t, func(t *testing.T) {
		w := open(t, sandbox.Options{Path: path})
		w.vpc("10.0.0.0/16")
		w.ok(nil, sandbox.Reset(path))
		if all := w.account.Inventory(); len(all) != 0 {
			t.Errorf("a process that is open still sees %v", all)
		}
		w.vpc("10.1.0.0/16")
		again := open(t, sandbox.Options{Path: path})
		if vpcs := again.account.Inventory()["vpc"]; len(vpcs) != 1 {
			t.Errorf("%v", vpcs)
		}
		w.ok(nil, os.WriteFile(path, []byte("damaged"), 0o600))
		w.ok(nil, sandbox.Reset(path))
		w.ok(nil, sandbox.Reset(path)) // nothing there is fine
	})
}

func BenchmarkMutatingCallWithSnapshot(b *testing.B) {
	account, err := sandbox.Open(sandbox.Options{Path: filepath.Join(b.TempDir(), "sandbox.json"), Speed: 1e9})
	if err != nil {
		b.Fatal(err)
	}
	client := efs.NewFromConfig(account.Config(home))
	for n := 0; b.Loop(); n++ {
		token := fmt.Sprint(n % 50) // refused from the second time on; alternate with a delete to keep the account small
		out, err := client.CreateFileSystem(b.Context(), &efs.CreateFileSystemInput{CreationToken: &token})
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err = client.DeleteFileSystem(b.Context(), &efs.DeleteFileSystemInput{FileSystemId: out.FileSystemId}); err == nil {
				break
			}
		}
	}
}

// TestMain lets the test binary stand in for a command that is killed: with a path in the environment it only makes file
// systems there and prints their ids.
func TestMain(m *testing.M) {
	path := os.Getenv("SANDBOX_TEST_VICTIM")
	if path == "" {
		os.Exit(m.Run())
	}
	account, err := sandbox.Open(sandbox.Options{Path: path, Speed: 1e6})
	for n := 0; err == nil; n++ {
		var out *efs.CreateFileSystemOutput
		out, err = efs.NewFromConfig(account.Config(home)).CreateFileSystem(context.Background(), &efs.CreateFileSystemInput{
			CreationToken: new(fmt.Sprint(n)),
		})
		if err == nil {
			fmt.Println(*out.FileSystemId)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestAKilledProcessLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.json")
	for range 3 {
		victim := exec.CommandContext(t.Context(), os.Args[0])
		victim.Env = append(os.Environ(), "SANDBOX_TEST_VICTIM="+path)
		output, err := victim.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		var told []string
		for lines := bufio.NewScanner(output); len(told) < 40 && lines.Scan(); {
			told = append(told, lines.Text())
		}
		if err := victim.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = victim.Wait() // it was killed
		account, err := sandbox.Open(sandbox.Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		made := strings.Join(account.Inventory()["file-system"], "\n")
		for _, id := range told {
			if !strings.Contains(made, id) {
				t.Errorf("%s was told to the user and is lost", id)
			}
		}
		if len(told) != 40 {
			t.Errorf("only %d file systems were made", len(told))
		}
		if err := errors.Join(account.Close(), sandbox.Reset(path)); err != nil {
			t.Fatal(err)
		}
	}
}
