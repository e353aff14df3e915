package host

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

const logFile = "/var/log/geusemaker-userdata.log"

// report runs the machine's own report under root.
func report(t *testing.T, root string, arguments ...string) (stack.Report, string) {
	t.Helper()
	command := exec.Command(root+"/opt/geusemaker/report", arguments...)
	command.Env = environmentOf(root, "GEUSEMAKER_MOUNTS="+root+"/mounts")
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var r stack.Report
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if utf8.RuneCount(out) > 23000 {
		t.Errorf("the report has %d characters: Systems Manager cuts at 24,000", utf8.RuneCount(out))
	}
	return r, string(out)
}

// reporting is a root whose docker, df and mounts answer what a running machine's do.
func reporting(t *testing.T) string {
	t.Helper()
	root := install(t, machine())
	writeUnder(t, root, "/mounts", "/dev/nvme1n1 /mnt/geusemaker/data ext4 rw 0 0\n127.0.0.1:/ /mnt/geusemaker/files nfs4 rw 0 0\n", 0o644)
	stub(t, root, "df", `echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'; echo "/dev/x 8000000000 1000 7999999000 1% $2"`)
	stub(t, root, "docker", `cat <<'END'
qdrant|Up 2 minutes (unhealthy)|qdrant/qdrant:v1.19.2
n8n|Up 3 seconds (health: starting)|n8nio/n8n:2.42.3
postgres|Up 5 minutes (healthy)|postgres:17.11-bookworm
gateway|Exited (1) 4 seconds ago|caddy:2.11.4-alpine
ollama|Created|ollama/ollama:0.34.2
crawl4ai|Up 1 hour|x"y\z
END`)
	return root
}

func TestReportBeforeAnythingRan(t *testing.T) {
	root := install(t, machine())
	stub(t, root, "docker", "exit 1")
	stub(t, root, "df", "exit 1")
	r, _ := report(t, root)
	if since := time.Since(r.Time); since < -time.Minute || since > time.Minute {
		t.Errorf("the report is of %s", r.Time)
	}
	want := stack.Report{Version: 1, Time: r.Time, Steps: []stack.BootStep{}, Services: []stack.ServiceReport{}, Pulls: []stack.ImagePull{}, Disks: []stack.Disk{}}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
}

// Between a reboot and the first step the files of the last boot still lie there.
func TestReportAfterARebootKeepsTheLastBootToItself(t *testing.T) {
	root := reporting(t)
	writeUnder(t, root, "/var/lib/geusemaker/userdata-complete", "then\n", 0o644)
	writeUnder(t, root, "/var/lib/geusemaker/progress.jsonl", `{"name":"health","status":"done","at":1700000000,"seconds":1.000,"detail":""}`+"\n", 0o644)
	if r, _ := report(t, root); !r.Complete || len(r.Steps) != 1 {
		t.Fatalf("a boot that ended is told as %+v", r)
	}
	if err := os.RemoveAll(root + "/run/geusemaker"); err != nil {
		t.Fatal(err)
	}
	if r, _ := report(t, root); r.Complete || r.Failed || len(r.Steps) != 0 {
		t.Errorf("after a reboot the report tells of the last boot: %+v", r)
	}
}

func TestReportTellsAll(t *testing.T) {
	root := reporting(t)
	writeUnder(t, root, "/var/lib/geusemaker/progress.jsonl", fmt.Sprintf(`{"name":"packages","status":"running","at":1700000000,"seconds":0.001,"detail":""}
{"name":"packages","status":"done","at":1700000000,"seconds":12.345,"detail":"said: 'done', \"at\":5,"}
{"name":"packages","status":"done","at":1700000000,"seconds":12.345,"detail":"größe, 99%%"}
nonsense
{"name":"storage","status":"running","at":%d,"seconds":0.002,"detail":""}
{"name":"storage","status":"do`, time.Now().Unix()-7), 0o644)
	writeUnder(t, root, "/var/lib/geusemaker/userdata-failed", "x", 0o600)
	writeUnder(t, root, "/var/lib/geusemaker/pulls/IMAGE_N8N", `{"image":"n8nio/n8n:2.42.3","status":"pulling","done":5000000000,"total":7000000000}`+"\n", 0o644)
	writeUnder(t, root, "/var/lib/geusemaker/pulls/IMAGE_OLLAMA", `{"image":"ollama/ollama:0.34.2","sta`, 0o644)
	writeUnder(t, root, "/var/lib/geusemaker/pulls/model-1", `{"image":"llama3.2:3b","status":"waiting","done":0,"total":0}`+"\n", 0o644)
	writeUnder(t, root, logFile, "one\ntwo\n", 0o600)
	r, _ := report(t, root, "4")
	if elapsed := r.Steps[len(r.Steps)-1].Seconds; elapsed < 7 || elapsed > 12 {
		t.Errorf("the running step took %v s so far, want about 7", elapsed)
	}
	const used, size = 1000 * 1024, 8000000000 * 1024
	want := stack.Report{
		Version: 1, Time: r.Time, Failed: true,
		Steps: []stack.BootStep{
			{Name: "packages", Status: "done", Seconds: 12.345, Detail: "größe, 99%"},
			{Name: "storage", Status: "running", Seconds: r.Steps[1].Seconds},
		},
		Services: []stack.ServiceReport{
			{Service: "crawl4ai", Health: stack.HealthUnknown, Detail: "Up 1 hour", Image: "x?y?z"},
			{Service: "gateway", Health: stack.Unhealthy, Detail: "Exited (1) 4 seconds ago", Image: "caddy:2.11.4-alpine"},
			{Service: "n8n", Health: stack.Starting, Detail: "Up 3 seconds (health: starting)", Image: "n8nio/n8n:2.42.3"},
			{Service: "ollama", Health: stack.Starting, Detail: "Created", Image: "ollama/ollama:0.34.2"},
			{Service: "postgres", Health: stack.Healthy, Detail: "Up 5 minutes (healthy)", Image: "postgres:17.11-bookworm"},
			{Service: "qdrant", Health: stack.Unhealthy, Detail: "Up 2 minutes (unhealthy)", Image: "qdrant/qdrant:v1.19.2"},
		},
		Pulls: []stack.ImagePull{
			{Image: "n8nio/n8n:2.42.3", Status: "pulling", Done: 5000000000, Total: 7000000000},
			{Image: "llama3.2:3b", Status: "waiting"},
		},
		Disks: []stack.Disk{
			{Mount: "/", Kind: "root", Size: size, Used: used},
			{Mount: "/mnt/geusemaker/data", Kind: "data", Size: size, Used: used},
			{Mount: "/mnt/geusemaker/files", Kind: "files", Size: size, Used: used},
		},
		Log: stack.LogPiece{Offset: 4, Next: 8, Size: 8, Text: "two\n"},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
}

// nastyLogs are what a boot log can hold at worst.
var nastyLogs = map[string]string{
	"empty":              "",
	"one line":           "hello\n",
	"no line end":        "hello",
	"many lines":         strings.Repeat("Get:1 http://archive.ubuntu.com noble InRelease [256 kB]\n", 3000),
	"one endless line":   strings.Repeat("x", 50000),
	"endless multi-byte": strings.Repeat("漢🙂é", 9000),
	"control bytes":      strings.Repeat("\x01\x1b[31m\x00\x7f\r\b\"\\\t", 4000) + "\n",
	"only NUL":           strings.Repeat("\x00", 30000),
	"quotes":             strings.Repeat(`"\`, 20000),
	"percent":            strings.Repeat("%s%n%d &\\& \\n\n", 3000),
	"line ends":          strings.Repeat("\n", 30000),
	"invalid UTF-8":      strings.Repeat("a\xff\xfe\xc3\n", 4000),
	"only continuation":  strings.Repeat("\x80", 30000),
	"cut character":      "done \xe6\xbc",
}

// Reading on from each Next gives the whole log and comes to an end.
func TestReportGivesTheWholeLogInPieces(t *testing.T) {
	for name, log := range nastyLogs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := reporting(t)
			writeUnder(t, root, logFile, log, 0o600)
			var text strings.Builder
			offset := int64(0)
			for range 200 {
				r, _ := report(t, root, fmt.Sprint(offset))
				if r.Log.Offset != offset || r.Log.Size != int64(len(log)) || r.Log.Next < offset || r.Log.Next-offset > 12000 {
					t.Fatalf("piece from %d: offset %d, next %d, size %d", offset, r.Log.Offset, r.Log.Next, r.Log.Size)
				}
				text.WriteString(r.Log.Text)
				if r.Log.Next == r.Log.Size {
					break
				}
				if r.Log.Next == offset {
					t.Fatalf("stuck at %d of %d", offset, len(log))
				}
				offset = r.Log.Next
			}
			// NUL becomes a question mark, and what is no UTF-8 is left out.
			want := strings.ToValidUTF8(strings.ReplaceAll(log, "\x00", "?"), "")
			if text.String() != want {
				t.Errorf("got %d bytes, want %d:\n%s", text.Len(), len(want), cmp.Diff(want[:min(300, len(want))], text.String()[:min(300, text.Len())]))
			}
		})
	}
}

func TestReportPiecesEndWithALine(t *testing.T) {
	root := reporting(t)
	writeUnder(t, root, logFile, strings.Repeat("a line of the log\n", 5000), 0o600)
	r, _ := report(t, root, "0")
	if !strings.HasSuffix(r.Log.Text, "\n") || r.Log.Next != int64(len(r.Log.Text)) || r.Log.Next < 11000 {
		t.Errorf("the piece has %d bytes and ends with %q", r.Log.Next, r.Log.Text[len(r.Log.Text)-5:])
	}
}

func TestReportTakesOnlyAnOffset(t *testing.T) {
	root := reporting(t)
	writeUnder(t, root, logFile, "hello\n", 0o600)
	for argument, want := range map[string]int64{"": 0, "-1": 0, "x": 0, "0007": 6, "08": 6, "3": 3, "999999999999": 6, "$(id)": 0, "99999999999999999999": 0} {
		if r, _ := report(t, root, argument); r.Log.Offset != want {
			t.Errorf("argument %q: offset %d, want %d", argument, r.Log.Offset, want)
		}
	}
}

// Every list is bounded: the worst of all must still fit, and leave room for the log.
func TestReportFitsAtItsWorst(t *testing.T) {
	root := reporting(t)
	var progress, containers strings.Builder
	for _, step := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"} {
		fmt.Fprintf(&progress, `{"name":"%s","status":"failed","at":1700000000,"seconds":1.000,"detail":"%s"}`+"\n", step, strings.Repeat("d", 400))
	}
	for i := range 50 {
		fmt.Fprintf(&containers, "service%d|%s|%s\n", i, strings.Repeat("s", 500), strings.Repeat("i", 500))
		writeUnder(t, root, fmt.Sprintf("/var/lib/geusemaker/pulls/%d", i), fmt.Sprintf(`{"image":"%s","status":"pulling","done":1,"total":2}`+"\n", strings.Repeat("i", 200)), 0o644)
	}
	writeUnder(t, root, "/var/lib/geusemaker/progress.jsonl", progress.String(), 0o644)
	writeUnder(t, root, "/containers", containers.String(), 0o644)
	stub(t, root, "docker", `cat "$GEUSEMAKER_ROOT/containers"`)
	writeUnder(t, root, logFile, nastyLogs["control bytes"], 0o600)
	r, _ := report(t, root, "0")
	if len(r.Steps) != 10 || len(r.Services) != 12 || len(r.Pulls) != 14 {
		t.Errorf("%d steps, %d services, %d pulls", len(r.Steps), len(r.Services), len(r.Pulls))
	}
	if r.Log.Next < 500 {
		t.Errorf("the log got only %d bytes", r.Log.Next)
	}
}

func TestReportDoesNotWaitForDocker(t *testing.T) {
	root := reporting(t)
	stub(t, root, "timeout", "exit 124") // as after the limit
	r, _ := report(t, root)
	if len(r.Services) != 0 || len(r.Disks) != 0 {
		t.Errorf("services %v and disks %v from tools that did not answer", r.Services, r.Disks)
	}
}

// The scripts write down what the report reads.
func TestStepsOfTheScriptsReachTheReport(t *testing.T) {
	root := reporting(t)
	out, err := shell(t, root, "step", `
		step_first() { detail='said "no"	to C:\temp
and größe'; }
		step_second() { fail "$(printf 'x%.0s' {1..1000})"; }
		trap 'record failed' EXIT
		run_step first
		run_step second`)
	if err == nil {
		t.Fatalf("the failing step did not end the run: %s", out)
	}
	r, _ := report(t, root)
	want := []stack.BootStep{
		{Name: "first", Status: "done", Detail: "said 'no' to C:/temp and größe"},
		{Name: "second", Status: "failed", Detail: strings.Repeat("x", 400)},
	}
	for i := range r.Steps {
		r.Steps[i].Seconds = 0
	}
	if diff := cmp.Diff(want, r.Steps); diff != "" {
		t.Error(diff)
	}
}
