package host

import (
	"strings"
	"testing"

	"geusemaker/internal/stack"
)

// A disk of a pretend machine: its line in lsblk, its file system, its signatures.
type testDisk struct {
	name, model string
	label       string // of its file system
	children    string // lines of lsblk about what is on it
	signatures  string
	probe       int // the status of blkid -p; 2 says that nothing is there
}

const ebs = `Amazon\x20Elastic\x20Block\x20Store`

// withDisks puts the tools on the PATH that ask for disks.
func withDisks(t *testing.T, root string, disks ...testDisk) {
	t.Helper()
	var list, labels strings.Builder
	list.WriteString("loop0 loop \n")
	for _, d := range disks {
		list.WriteString(d.name + " disk " + d.model + "\n")
		if d.label == "geusemaker-data" {
			labels.WriteString("/dev/" + d.name + "\n")
		}
		writeUnder(t, root, "/disks/"+d.name+".lsblk", d.name+"  \n"+d.children, 0o644)
		writeUnder(t, root, "/disks/"+d.name+".wipefs", d.signatures, 0o644)
		writeUnder(t, root, "/disks/"+d.name+".probe", "exit "+string(rune('0'+d.probe)), 0o644)
	}
	writeUnder(t, root, "/disks/list", list.String(), 0o644)
	writeUnder(t, root, "/disks/labels", labels.String(), 0o644)
	stub(t, root, "lsblk", `case $1 in -dnro) cat "$GEUSEMAKER_ROOT/disks/list" ;; *) cat "$GEUSEMAKER_ROOT/disks/${3##*/}.lsblk" ;; esac`)
	stub(t, root, "wipefs", `cat "$GEUSEMAKER_ROOT/disks/${2##*/}.wipefs"`)
	stub(t, root, "blkid", `case $* in
	"-t LABEL=geusemaker-data -o device") cat "$GEUSEMAKER_ROOT/disks/labels"; [[ -s $GEUSEMAKER_ROOT/disks/labels ]] ;;
	"-p -s UUID -o value "*) [[ -e $GEUSEMAKER_ROOT/disks/formatted || -s $GEUSEMAKER_ROOT/disks/labels ]] && echo 1b4e28ba-2fa1 || true ;;
	"-p "*) . "$GEUSEMAKER_ROOT/disks/${2##*/}.probe" ;;
	esac`)
	stub(t, root, "mkfs.ext4", `touch "$GEUSEMAKER_ROOT/disks/formatted"`)
	stub(t, root, "resize2fs", "")
	stub(t, root, "systemctl", "")
	stub(t, root, "systemd-escape", `tr / - <<<"${3#/}.mount"`)
}

var rootDisk = testDisk{name: "nvme0n1", model: ebs, children: "nvme0n1p1 ext4 /\n", signatures: "DEVICE OFFSET TYPE\nnvme0n1 0x200 gpt\n"}

func TestDataDiskIsFoundAndNothingElseTaken(t *testing.T) {
	blank := testDisk{name: "nvme1n1", model: ebs, probe: 2}
	tests := map[string]struct {
		disks []testDisk
		want  string
	}{
		"not attached yet":           {[]testDisk{rootDisk}, ""},
		"blank EBS":                  {[]testDisk{rootDisk, blank}, "/dev/nvme1n1"},
		"ours from before":           {[]testDisk{rootDisk, {name: "nvme2n1", model: ebs, label: "geusemaker-data", signatures: "x"}, blank}, "/dev/nvme2n1"},
		"instance store":             {[]testDisk{rootDisk, {name: "nvme1n1", model: `Amazon\x20EC2\x20NVMe\x20Instance\x20Storage`, probe: 2}}, ""},
		"somebody's file system":     {[]testDisk{rootDisk, {name: "nvme1n1", model: ebs, signatures: "DEVICE OFFSET TYPE\nnvme1n1 0x438 ext4\n"}}, ""},
		"somebody's partitions":      {[]testDisk{rootDisk, {name: "nvme1n1", model: ebs, children: "nvme1n1p1  \n", probe: 2}}, ""},
		"signature only blkid knows": {[]testDisk{rootDisk, {name: "nvme1n1", model: ebs, probe: 0}}, ""},
		"ambivalent signatures":      {[]testDisk{rootDisk, {name: "nvme1n1", model: ebs, probe: 8}}, ""},
		"Xen":                        {[]testDisk{{name: "xvda", children: "xvda1 xfs /\n", signatures: "x"}, {name: "xvdb", probe: 2}, {name: "xvdf", probe: 2}}, "/dev/xvdf"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := install(t, machine())
			withDisks(t, root, test.disks...)
			out, err := shell(t, root, "step storage", `if data_disk; then :; else echo none; fi`)
			want := test.want
			if want == "" {
				want = "none"
			}
			if err != nil || strings.TrimSpace(out) != want {
				t.Errorf("found %q (%v), want %s", out, err, want)
			}
		})
	}
}

func TestAFailingToolDoesNotMakeADiskBlank(t *testing.T) {
	for _, tool := range []string{"lsblk", "wipefs", "blkid"} {
		root := install(t, machine())
		withDisks(t, root, testDisk{name: "nvme1n1", model: ebs, probe: 2})
		stub(t, root, tool, "exit 1")
		out, err := shell(t, root, "step storage", `if blank /dev/nvme1n1; then echo blank; else echo used; fi`)
		if err != nil || out != "used\n" {
			t.Errorf("without %s: %q (%v)", tool, out, err)
		}
	}
}

func TestBlankDiskIsFormattedOnceAndMounted(t *testing.T) {
	root := install(t, machine())
	writeUnder(t, root, "/etc/fstab", "LABEL=cloudimg-rootfs / ext4 discard 0 1\n", 0o644)
	withDisks(t, root, rootDisk, testDisk{name: "nvme1n1", model: ebs, probe: 2})
	mount := `mount_data; echo "$disk"`
	for range 2 {
		if out, err := shell(t, root, "step storage", "disk=; "+mount); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	want := "LABEL=cloudimg-rootfs / ext4 discard 0 1\nUUID=1b4e28ba-2fa1 " + root +
		"/mnt/geusemaker/data ext4 defaults,noatime,nofail,x-systemd.device-timeout=300 0 2\n"
	if got := readUnder(t, root, "/etc/fstab"); got != want {
		t.Errorf("fstab is\n%s\nwant\n%s", got, want)
	}
	calls := readUnder(t, root, "/calls")
	if n := strings.Count(calls, "mkfs.ext4 -q -m 1 -L geusemaker-data /dev/nvme1n1\n"); n != 1 {
		t.Errorf("mkfs ran %d times:\n%s", n, calls)
	}
	if n := strings.Count(calls, "systemctl daemon-reload\n"); n != 1 {
		t.Errorf("systemd was reloaded %d times", n)
	}
	if n := strings.Count(calls, "mnt-geusemaker-data.mount\n"); n < 2 {
		t.Errorf("the mount was started %d times:\n%s", n, calls)
	}
}

func TestOurOwnDiskIsNeverFormattedAgain(t *testing.T) {
	root := install(t, machine())
	writeUnder(t, root, "/etc/fstab", "", 0o644)
	withDisks(t, root, rootDisk, testDisk{name: "nvme1n1", model: ebs, label: "geusemaker-data", signatures: "x"})
	if out, err := shell(t, root, "step storage", "mount_data"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if calls := readUnder(t, root, "/calls"); strings.Contains(calls, "mkfs") || !strings.Contains(calls, "resize2fs /dev/nvme1n1") {
		t.Errorf("calls are\n%s", calls)
	}
}

func TestDataDiskIsWaitedFor(t *testing.T) {
	root := install(t, machine())
	withDisks(t, root, rootDisk)
	out, err := shell(t, root, "step storage", "mount_data")
	if err == nil || !strings.Contains(out, "no data volume came up within 10 minutes") {
		t.Errorf("%v, output:\n%s", err, out)
	}
	if n := strings.Count(readUnder(t, root, "/calls"), "lsblk -dnro"); n < 20 {
		t.Errorf("looked only %d times", n)
	}
}

func TestFilesAreMountedWithTLSAndIAM(t *testing.T) {
	root := install(t, machine())
	writeUnder(t, root, "/etc/fstab", "", 0o644)
	withDisks(t, root)
	stub(t, root, "mount.efs", "")
	// The mount target comes up at the third try.
	stub(t, root, "systemctl", `[[ $1 != start ]] || { echo x >>"$GEUSEMAKER_ROOT/tries"; (($(wc -l <"$GEUSEMAKER_ROOT/tries") == 3)); }`)
	out, err := shell(t, root, "step packages storage", "FILE_SYSTEM_ID=fs-012; mount_files")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "fs-012:/ " + root + "/mnt/geusemaker/files efs _netdev,nofail,tls,iam 0 0\n"
	if got := strings.TrimLeft(readUnder(t, root, "/etc/fstab"), "\n"); got != want {
		t.Errorf("fstab is %q, want %q", got, want)
	}
	if got := readUnder(t, root, "/tries"); got != "x\nx\nx\n" {
		t.Errorf("tried %q", got)
	}
}

func TestWithoutMountHelperThereIsNoPlainNFS(t *testing.T) {
	root := install(t, machine())
	writeUnder(t, root, "/etc/fstab", "", 0o644)
	writeUnder(t, root, "/etc/os-release", "ID=ubuntu\n", 0o644)
	withDisks(t, root)
	stub(t, root, "curl", "exit 22")
	stub(t, root, "mount", "")
	out, err := shell(t, root, "step packages storage", "FILE_SYSTEM_ID=fs-012; mount_files")
	if err == nil || !strings.Contains(out, "without TLS") {
		t.Errorf("%v, output:\n%s", err, out)
	}
	if fstab := readUnder(t, root, "/etc/fstab"); fstab != "" {
		t.Errorf("fstab is %q", fstab)
	}
}

// Containers run as users of their own; on a file system that squashes root the folder cannot be handed over.
func TestFoldersBelongToTheContainers(t *testing.T) {
	root := install(t, machine(func(m *stack.Machine) { m.DataVolume, m.FileSystemID = false, "" }))
	stub(t, root, "install", `mkdir -p "${@: -1}"`)
	if out, err := shell(t, root, "step storage", "make_folders"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	calls := strings.ReplaceAll(readUnder(t, root, "/calls"), root, "")
	for _, want := range []string{"install -d -o 999 -g 999 -m 700 /mnt/geusemaker/data/postgres\n", "install -d -o 1000 -g 1000 -m 700 /mnt/geusemaker/files/gm-7f3k2q/n8n\n"} {
		if !strings.Contains(calls, want) {
			t.Errorf("no call %q in\n%s", want, calls)
		}
	}
	stub(t, root, "install", `[[ $* != */n8n ]]`)
	if out, err := shell(t, root, "step storage", "make_folders"); err == nil || !strings.Contains(out, "elasticfilesystem:ClientRootAccess") {
		t.Errorf("%v, output:\n%s", err, out)
	}
}
