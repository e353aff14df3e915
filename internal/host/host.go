package host

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"geusemaker/internal/stack"
)

const (
	// ReportCommand is the program on the machine that prints a stack.Report. It takes one argument, the offset into the
	// boot log.
	ReportCommand = "/opt/geusemaker/report"
	// LogPath is the boot log on the machine.
	LogPath = "/var/log/geusemaker-userdata.log"

	// maxUserData is the most that EC2 takes, in bytes before base64 (EC2 User Guide, "Run commands when you launch an EC2
	// instance with user data input").
	maxUserData = 16384
)

//go:embed files
var embedded embed.FS

// A File is one file of the machine: its absolute path, its permission bits and its content.
type File struct {
	Path    string
	Mode    fs.FileMode
	Content string
}

// UserData renders the gzipped cloud-config for m, the same bytes for the same machine. EC2 wants it encoded as base64,
// which is left to the caller. A machine that its files cannot express is an error that names the setting, and so is user
// data that is larger than EC2 takes.
func UserData(m stack.Machine) ([]byte, error) {
	files, err := Files(m)
	if err != nil {
		return nil, err
	}
	packed, err := pack(cloudConfig(m, files))
	if err != nil {
		return nil, err
	}
	if len(packed) > maxUserData {
		return nil, fmt.Errorf("user data has %d bytes compressed, %d more than EC2 takes: shorten the env, models or services settings",
			len(packed), len(packed)-maxUserData)
	}
	return packed, nil
}

// cloudConfig writes the files and the commands in cloud-init's format (cloud-init docs, modules write_files and runcmd).
// Each content is a literal block of YAML, indented by as little as YAML allows: every byte counts against maxUserData.
func cloudConfig(m stack.Machine, files []File) []byte {
	var out bytes.Buffer
	out.WriteString("#cloud-config\n")
	if strings.HasPrefix(m.OSType, "amazon-linux") {
		// Amazon Linux would upgrade packages at its first boot. Ubuntu does not, and knows no such key.
		out.WriteString("repo_upgrade: none\n")
	}
	out.WriteString("write_files:\n")
	for _, f := range files {
		fmt.Fprintf(&out, "- path: %s\n", f.Path)
		if f.Mode != 0o644 { // which is the default
			fmt.Fprintf(&out, "  permissions: '0%o'\n", f.Mode)
		}
		out.WriteString("  content: |1\n")
		for line := range strings.Lines(f.Content) {
			out.WriteString("   " + line)
		}
	}
	// The service is not waited for: cloud-init would hold back what is ordered after it for as long as the images take.
	out.WriteString(`runcmd:
- systemctl daemon-reload
- systemctl enable geusemaker.service
- systemctl start --no-block geusemaker.service
`)
	return out.Bytes()
}

// pack compresses text. The header holds no time, so that equal input gives equal output: a launch that is repeated with
// the same client token must not differ.
func pack(text []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("compress user data: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return nil, fmt.Errorf("compress user data: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress user data: %w", err)
	}
	return out.Bytes(), nil
}

// Files lists what UserData packs, in the order in which cloud-init writes it.
func Files(m stack.Machine) ([]File, error) {
	environment, err := machineEnvironment(m)
	if err != nil {
		return nil, err
	}
	files := []File{{"/etc/geusemaker/machine.env", 0o644, environment}}
	user, err := userCompose(m)
	if err != nil {
		return nil, err
	}
	if user != "" {
		files = append(files, File{"/opt/geusemaker/compose.user.yaml", 0o644, user})
	}
	err = fs.WalkDir(embedded, "files", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !wanted(name, m) {
			return err
		}
		content, err := embedded.ReadFile(name)
		files = append(files, File{installPath(name), fileMode(content), condensed(string(content))})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the machine's files: %w", err)
	}
	return files, nil
}

// wanted tells whether m needs an embedded file.
func wanted(name string, m stack.Machine) bool {
	return path.Base(name) != "compose.gpu.yaml" || m.Workload == stack.WorkloadGPU
}

// installPath is where an embedded file goes.
func installPath(name string) string {
	base := path.Base(name)
	switch {
	case base == "docker-mounts.conf":
		return "/etc/systemd/system/docker.service.d/geusemaker-mounts.conf"
	case path.Dir(name) == "files/units":
		return "/etc/systemd/system/" + base
	default:
		return "/opt/geusemaker/" + strings.TrimPrefix(name, "files/")
	}
}

// fileMode makes programs executable. Embedding drops the mode, but a program begins with the name of its interpreter.
func fileMode(content []byte) fs.FileMode {
	if bytes.HasPrefix(content, []byte("#!")) {
		return 0o755
	}
	return 0o644
}

// condensed drops the lines that hold nothing or nothing but a comment, and the tabs at the beginning of the others, which mean nothing
// to any of our files: Python and YAML are indented by spaces. They are for the reader of this repository and are a fifth of
// the compressed size; without them there is room for the user's own settings.
func condensed(content string) string {
	var out strings.Builder
	for line := range strings.Lines(content) {
		if text := strings.TrimSpace(line); text != "" && text != "#" && !strings.HasPrefix(text, "# ") {
			out.WriteString(strings.TrimLeft(line, "\t"))
		}
	}
	return out.String()
}
