package host

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// logging is a root whose docker has the log of one container, in a file, and shows it as Docker does.
func logging(t *testing.T, log string) string {
	t.Helper()
	root := install(t, machine())
	writeUnder(t, root, "/container.log", log, 0o644)
	stub(t, root, "docker", `
case "$1 ${@: -1}" in
"inspect geusemaker-n8n-1") echo ok ;;
"logs geusemaker-n8n-1")
	# logs -t --since SINCE --tail TAIL CONTAINER
	lines=cat
	[[ $6 == all ]] || lines="tail -n $6"
	LC_ALL=C awk -v since="$4" 'since ~ /s$/ || $1 >= since' "$GEUSEMAKER_ROOT/container.log" | $lines >&2
	;;
*) echo "Error: No such object: ${@: -1}" >&2; exit 1 ;;
esac`)
	return root
}

// piece runs the machine's own program.
func piece(t *testing.T, root string, arguments ...string) (text string, now time.Time, status int) {
	t.Helper()
	command := exec.Command(root+"/opt/geusemaker/logs", arguments...)
	command.Env = environmentOf(root)
	out, err := command.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(exit.Stderr), now, exit.ExitCode()
	}
	var said struct {
		Now  time.Time
		Text []byte
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	if len(out) > 22000 {
		t.Errorf("the answer has %d characters: Systems Manager cuts at 24,000", len(out))
	}
	return string(said.Text), said.Now, 0
}

const containerLog = `2026-11-23T12:00:00.000000001Z first "quoted" \ %s größe
2026-11-23T12:00:00.000000002Z
2026-11-23T12:00:00.000000003Z third
`

func TestLogsGivesPiecesOfAContainersLog(t *testing.T) {
	root := logging(t, containerLog)
	for _, tt := range []struct {
		arguments, want string
	}{
		{"n8n 600s all 0", containerLog},
		{"n8n 600s all 40", containerLog[40:]},
		{"n8n 600s 1 0", "2026-11-23T12:00:00.000000003Z third\n"},
		{"n8n 2026-11-23T12:00:00.000000003Z all 0", "2026-11-23T12:00:00.000000003Z third\n"},
		{"n8n 2026-11-23T12:00:00.000000003Z all 37", ""},
		{"n8n 600s all 99999999", ""},
	} {
		text, now, status := piece(t, root, strings.Fields(tt.arguments)...)
		if text != tt.want || status != 0 || time.Since(now) > time.Minute || now.IsZero() {
			t.Errorf("%s: %q at %s, status %d, want %q", tt.arguments, text, now, status, tt.want)
		}
	}
}

// Whatever a container writes, its bytes come as they are, and every answer fits.
func TestLogsGivesAnyBytesInPieces(t *testing.T) {
	for name, log := range nastyLogs {
		if strings.HasPrefix(name, "empty") {
			continue
		}
		var lines strings.Builder
		for line := range strings.Lines(log) {
			lines.WriteString("2026-11-23T12:00:00.000000001Z " + line)
		}
		want := lines.String()
		if !strings.HasSuffix(want, "\n") {
			want += "\n" // awk, in the place of Docker, ends it
		}
		if strings.Contains(want, "\x00") {
			continue // which the stub cannot keep
		}
		root := logging(t, want)
		var read strings.Builder
		for range 200 {
			text, _, status := piece(t, root, "n8n", "600s", "all", strconv.Itoa(read.Len()))
			if status != 0 || len(text) > 16000 {
				t.Fatalf("%s: status %d, %d bytes", name, status, len(text))
			}
			read.WriteString(text)
			if len(text) < 16000 {
				break
			}
		}
		if read.String() != want {
			t.Errorf("%s: read %d bytes, want %d", name, read.Len(), len(want))
		}
	}
}

func TestLogsOfNoContainer(t *testing.T) {
	root := logging(t, containerLog)
	if text, _, status := piece(t, root, "qdrant", "600s", "all", "0"); status != 1 || !strings.Contains(text, "No such object: geusemaker-qdrant-1") {
		t.Errorf("status %d: %q", status, text)
	}
}

// Nothing but the words that are expected reaches a shell or Docker.
func TestLogsTakesNothingElse(t *testing.T) {
	root := logging(t, containerLog)
	for _, arguments := range [][]string{
		{},
		{"n8n"},
		{"n8n", "600s", "all"},
		{"n8n", "600s", "all", "-1"},
		{"n8n", "600s", "some", "0"},
		{"$(id)", "600s", "all", "0"},
		{"--help", "600s", "all", "0"},
		{"n8n", "--follow", "all", "0"},
		{"n8n", "600s;id", "all", "0"},
		{"n8n 600s all 0"},
		{"n8n", "600s", "all", "0", "x"},
	} {
		if text, _, status := piece(t, root, arguments...); status == 0 {
			t.Errorf("%q was taken: %q", arguments, text)
		}
	}
}
