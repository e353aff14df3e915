package machine

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"geusemaker/internal/stack"
)

//go:embed boot.sh
var bootScript string

// A Machine is a booted root file system. Its folder outlives a reboot, as a root volume does.
type Machine struct {
	folder string
	world  *World
	pid    int // of its first process, as seen from here
	done   chan error
}

// A Disk is a block volume: a file behind a loop device.
type Disk struct {
	name string // under EC2, such as nvme1n1
	loop string // such as loop3
}

// NewDisk makes a blank volume.
func NewDisk(t *testing.T, name string) Disk {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	run(t, "truncate", "-s", "1G", file)
	device := strings.TrimSpace(run(t, "losetup", "--find", "--show", file))
	t.Cleanup(func() { run(t, "losetup", "--detach", device) })
	return Disk{name, filepath.Base(device)}
}

// device is the disk as seen from here.
func (d Disk) device() string { return "/dev/" + d.loop }

// NewMachine lays a machine out over the prepared root. Files are put in by Install before it boots.
//
// cloud-init gets the user data from a seed: its reader of EC2's metadata asks the firmware whether it may use tokens, and
// namespaces have no firmware.
func NewMachine(t *testing.T, world *World, userData []byte) *Machine {
	t.Helper()
	m := &Machine{folder: t.TempDir(), world: world}
	for _, name := range []string{"root", "upper", "work", "docker", "efs"} {
		if err := os.Mkdir(filepath.Join(m.folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(prepared("root"), filepath.Join(m.folder, "lower")); err != nil {
		t.Fatal(err)
	}
	m.Install(t, "/var/lib/cloud/seed/nocloud/user-data", 0o600, userData)
	m.Install(t, "/var/lib/cloud/seed/nocloud/meta-data", 0o600, []byte("instance-id: i-0123456789abcdef0\nlocal-hostname: machine\n"))
	m.Install(t, "/etc/cloud/cloud.cfg.d/90-machine.cfg", 0o644, []byte("datasource_list: [NoCloud]\nnetwork: {config: disabled}\n"))
	m.Install(t, "/etc/cloud/ds-identify.cfg", 0o644, []byte("datasource: NoCloud\npolicy: enabled\n"))
	m.Install(t, "/etc/hosts", 0o644, []byte(world.Names()))
	trusted := read(t, prepared("root/etc/ssl/certs/ca-certificates.crt"))
	m.Install(t, "/etc/ssl/certs/ca-certificates.crt", 0o644, append(trusted, world.Authority()...))
	m.Install(t, "/etc/hostname", 0o644, []byte("machine\n"))
	for _, tool := range []string{"/usr/local/bin/lsblk", "/usr/local/bin/sha256sum", "/usr/local/sbin/coldplug"} {
		m.Install(t, tool, 0o755, read(t, filepath.Join("edge", filepath.Base(tool))))
	}
	built := digestOf(read(t, prepared("bin/docker-compose")))
	m.Install(t, "/etc/machine-compose-sha256", 0o644, []byte(strings.TrimPrefix(built, "sha256:")+"\n"))
	return m
}

// Install puts a file on the machine that does not run.
func (m *Machine) Install(t *testing.T, path string, mode os.FileMode, content []byte) {
	t.Helper()
	target := filepath.Join(m.folder, "upper", path)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(target, mode); err != nil {
		t.Fatal(err)
	}
}

// Boot starts the machine with the given volumes attached.
func (m *Machine) Boot(t *testing.T, disks ...Disk) {
	t.Helper()
	var list strings.Builder
	for _, d := range disks {
		fmt.Fprintf(&list, "%s %s\n", d.name, d.loop)
	}
	if err := os.WriteFile(filepath.Join(m.folder, "disks"), []byte(list.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(context.Background(), "ip", "netns", "exec", networkName, "unshare", "--mount", "--pid", "--uts", "--ipc", "--cgroup",
		"--fork", "--kill-child", "--propagation", "private", "bash", "-c", bootScript, "boot.sh", m.folder)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // which --kill-child passes on
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	m.done = make(chan error, 1)
	go func() { m.done <- command.Wait() }()
	t.Cleanup(func() { m.halt(command.Process) })
	m.await(t, 30*time.Second, "its first process", func() bool {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", command.Process.Pid))
		if err != nil {
			t.Fatalf("the machine does not boot:\n%s", said.String())
		}
		if _, err := fmt.Sscan(string(children), &m.pid); err != nil {
			return false
		}
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", m.pid))
		return err == nil && strings.TrimSpace(string(name)) == "systemd"
	})
}

// halt ends whatever still runs, by ending the machine's first process.
func (m *Machine) halt(process *os.Process) {
	if m.pid != 0 {
		_ = syscall.Kill(m.pid, syscall.SIGKILL)
		m.pid = 0
	}
	_ = process.Kill() // it ends by itself, but not if it never came to the first process
}

// Reboot shuts the machine down in good order and boots it again.
func (m *Machine) Reboot(t *testing.T, disks ...Disk) {
	t.Helper()
	m.Shutdown(t)
	m.Boot(t, disks...)
}

// Shutdown has systemd stop everything.
func (m *Machine) Shutdown(t *testing.T) {
	t.Helper()
	m.Run(t, "systemctl", "reboot")
	select {
	case <-m.done:
		m.pid = 0
	case <-time.After(3 * time.Minute):
		t.Fatal("the machine does not shut down within 3 minutes")
	}
}

// Run runs a command on the machine and returns what it printed.
func (m *Machine) Run(t *testing.T, words ...string) string {
	t.Helper()
	out, err := m.Try(words...)
	if err != nil {
		t.Fatalf("on the machine: %s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return out
}

// Try runs a command on the machine as Systems Manager does: as root, in no session.
func (m *Machine) Try(words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	enter := append([]string{
		"--target", fmt.Sprint(m.pid), "--all", "env", "-i", "HOME=/root",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}, words...)
	var out, complaint bytes.Buffer
	command := exec.CommandContext(ctx, "nsenter", enter...)
	command.Stdout, command.Stderr = &out, &complaint
	if err := command.Run(); err != nil {
		return out.String() + complaint.String(), err
	}
	return out.String(), nil
}

// Report asks the machine what the command line asks it.
func (m *Machine) Report(t *testing.T, offset int64) stack.Report {
	t.Helper()
	text := m.Run(t, "/opt/geusemaker/report", fmt.Sprint(offset))
	if len(text) > 24000 {
		t.Errorf("the report has %d characters, more than Systems Manager passes on", len(text))
	}
	var report stack.Report
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil {
		t.Fatalf("%v in the report\n%s", err, text)
	}
	return report
}

// AwaitBoot waits until the bootstrap ends and returns its last report.
func (m *Machine) AwaitBoot(t *testing.T) stack.Report {
	t.Helper()
	m.await(t, 5*time.Minute, "the report program", func() bool {
		_, err := m.Try("test", "-s", "/var/lib/geusemaker/progress.jsonl")
		return err == nil
	})
	var report stack.Report
	m.await(t, 5*time.Minute, "the end of the bootstrap", func() bool {
		report = m.Report(t, 0)
		return report.Complete || report.Failed
	})
	if report.Failed {
		said, _ := m.Try("cat", "/var/lib/geusemaker/userdata-failed")
		t.Fatalf("the bootstrap failed\n%s", said)
	}
	return report
}

// await asks again and again; when the time is over, what the machine said last explains it.
func (m *Machine) await(t *testing.T, limit time.Duration, what string, reached func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !reached(); time.Sleep(200 * time.Millisecond) {
		if time.Now().Before(end) {
			continue
		}
		said, err := m.Try("bash", "-c", "journalctl --no-pager -n 60; tail -n 60 /var/log/geusemaker-userdata.log /var/log/cloud-init.log; "+
			"systemctl --no-pager list-jobs; docker ps -a; for c in $(docker ps -aq); do docker logs --tail 5 $c; done")
		t.Fatalf("waited %s for %s (%v)\n%s", limit, what, errors.Join(err), said)
	}
}

// prepared is a file that setup.sh made.
func prepared(name string) string {
	path, err := filepath.Abs(filepath.Join("../../.machine", name))
	if err != nil {
		panic(err) // there is no current folder
	}
	return path
}
