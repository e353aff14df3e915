package host

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// dockerEngine is the Docker Engine's API on its socket: it streams the pull of any image but the broken one.
func dockerEngine(t *testing.T, root string) {
	t.Helper()
	socket := filepath.Join(root, "var/run/docker.sock")
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		image := r.URL.Query().Get("fromImage")
		if r.Method != http.MethodPost || r.URL.Path != "/v1.44/images/create" {
			t.Errorf("unexpected call %s %s", r.Method, r.URL)
		}
		if strings.Contains(image, "broken") {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"message":"manifest for broken not found"}`+"\n")
			return
		}
		io.WriteString(w, `{"status":"Pulling from x","id":"17.11"}`+"\r\n")
		for _, layer := range []string{"aaaaaaaaaaaa", "bbbbbbbbbbbb"} {
			fmt.Fprintf(w, `{"status":"Pulling fs layer","progressDetail":{},"id":"%s"}`+"\r\n", layer)
			for done := 0; done <= 3000000000; done += 100000000 {
				fmt.Fprintf(w, `{"status":"Downloading","progressDetail":{"current":%d,"total":3000000000},"progress":"[=>  ] %d/3GB","id":"%s"}`+"\r\n", done, done, layer)
			}
			fmt.Fprintf(w, `{"status":"Extracting","progressDetail":{"current":5,"total":9},"id":"%s"}`+"\r\n", layer)
			fmt.Fprintf(w, `{"status":"Pull complete","progressDetail":{},"id":"%s"}`+"\r\n", layer)
		}
		io.WriteString(w, `{"status":"Status: Downloaded newer image"}`+"\r\n")
		if err := os.WriteFile(filepath.Join(root, "image-"+strings.NewReplacer("/", "_", ":", "_").Replace(image)), nil, 0o600); err != nil {
			t.Error(err)
		}
	})}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
}

// withDocker puts a docker on the PATH that has the images which dockerEngine has pulled, and whose containers come up when asked.
func withDocker(t *testing.T, root string) {
	t.Helper()
	dockerEngine(t, root)
	stub(t, root, "docker", `case "$*" in
	"image inspect "*) name=${3//[\/:]/_}; [[ -e $GEUSEMAKER_ROOT/image-$name ]] ;;
	--version) echo "Docker version 29.8.1, build 1234567" ;;
	"version "*) echo 29.8.1 ;;
	"ps -a "*Names*) echo "geusemaker-n8n-1 Up 20 minutes (healthy)"; echo "geusemaker-gateway-1 Up 20 minutes (unhealthy)" ;;
	"logs "*) echo "the last words of ${*: -1}" ;;
	"compose version --short") echo 5.6.0 ;;
	"compose "*" config --services") printf '%s\n' ollama n8n gateway qdrant postgres crawl4ai ;;
	"compose "*" up "*)
		[[ $PUBLIC_URL == https://203.0.113.5 && -n $IMAGE_N8N && -s $GEUSEMAKER_ROOT/run/geusemaker/secrets/n8n.env ]] || exit 9
		touch "$GEUSEMAKER_ROOT/up" ;;
	"ps "*) [[ ! -e $GEUSEMAKER_ROOT/up ]] || printf '%s\n' n8n ollama qdrant postgres crawl4ai $([[ -e $GEUSEMAKER_ROOT/sick ]] || echo gateway) ;;
	esac`)
}

func TestPullKeepsItsProgress(t *testing.T) {
	root := install(t, machine())
	withDocker(t, root)
	file := root + "/state"
	out, err := shell(t, root, "step services pulls", `pull image "`+file+`" postgres:17.11-bookworm`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := `{"image":"postgres:17.11-bookworm","status":"done","done":6000000000,"total":6000000000}` + "\n"
	if got := readUnder(t, root, "/state"); got != want {
		t.Errorf("state is %s want %s", got, want)
	}
	out, err = shell(t, root, "step services pulls", `pull image "`+file+`" example.com/broken:1 || echo "ended"`)
	if err != nil || !strings.Contains(out, "example.com/broken:1: {\"message\":\"manifest for broken not found\"}") || !strings.HasSuffix(out, "ended\n") {
		t.Errorf("%v, output %q", err, out)
	}
	if got := readUnder(t, root, "/state"); !strings.Contains(got, `"status":"failed"`) {
		t.Errorf("state is %s", got)
	}
}

func TestPullProgressIsSeenOnTheWay(t *testing.T) {
	root := install(t, machine())
	lines := strings.Repeat(`{"status":"Downloading","progressDetail":{"current":700,"total":1000},"id":"aaaaaaaaaaaa"}`+"\r\n", 19) +
		`{"status":"Download complete","id":"bbbbbbbbbbbb"}` + "\r\n"
	command := exec.Command("awk", "-v", "file="+root+"/state", "-v", "name=x:1", "-f", "files/lib/pull.awk")
	command.Stdin = strings.NewReader(lines)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, want := readUnder(t, root, "/state"), `{"image":"x:1","status":"pulling","done":700,"total":1000}`+"\n"; got != want {
		t.Errorf("state is %s want %s", got, want)
	}
	models := `{"status":"pulling manifest"}
{"status":"pulling dde5aa3fc5ff","digest":"sha256:dde5aa3fc5ff","total":2019377376,"completed":1000000000}
{"status":"pulling 966de95ca8a6","digest":"sha256:966de95ca8a6","total":1429}
{"status":"success"}
`
	command = exec.Command("awk", "-v", "file="+root+"/state", "-v", "name=llama3.2:3b", "-f", "files/lib/pull.awk")
	command.Stdin = strings.NewReader(models)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, want := readUnder(t, root, "/state"), `{"image":"llama3.2:3b","status":"pulling","done":1000000000,"total":2019378805}`+"\n"; got != want {
		t.Errorf("state is %s want %s", got, want)
	}
}

// bare is a machine before its first boot, with the tools of the given system on the PATH.
func bare(t *testing.T, release string, change func(*stack.Machine)) (root string, environment []string) {
	t.Helper()
	root = install(t, machine(change))
	writeUnder(t, root, "/etc/fstab", "LABEL=root / ext4 defaults 0 1\n", 0o644)
	writeUnder(t, root, "/etc/os-release", release, 0o644)
	withDisks(t, root, rootDisk, testDisk{name: "nvme1n1", model: ebs, probe: 2})
	withDocker(t, root)
	for _, tool := range []string{"apt-get", "yum", "mount.efs", "sleep"} {
		stub(t, root, tool, "")
	}
	stub(t, root, "install", `keep=()
	while (($#)); do case $1 in -o | -g) shift 2 ;; *) keep+=("$1"); shift ;; esac; done
	exec `+lookPath(t, "install")+` "${keep[@]}"`)
	store, _ := parameterStore(t, 0, sampleSecrets)
	return root, environmentOf(root, "GEUSEMAKER_METADATA="+metadata(t, "203.0.113.5").URL, "GEUSEMAKER_SSM="+store.URL)
}

func lookPath(t *testing.T, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func boot(root string, environment []string) error {
	command := exec.Command(root + "/opt/geusemaker/bootstrap.sh")
	command.Env = environment
	return command.Run()
}

const ubuntu = "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n"

// The whole way from a machine with Docker on it, and once more as after a reboot.
func TestBootstrapRunsThroughTwice(t *testing.T) {
	root, environment := bare(t, ubuntu, func(m *stack.Machine) { m.Models = []string{"llama3.2:3b"} })
	for round := range 2 {
		if err := boot(root, environment); err != nil {
			t.Fatalf("round %d: %v\n%s", round, err, readUnder(t, root, logFile))
		}
		r, _ := report(t, root)
		if !r.Complete || r.Failed {
			t.Errorf("round %d: complete %t, failed %t", round, r.Complete, r.Failed)
		}
		var steps []string
		for _, step := range r.Steps {
			steps = append(steps, step.Name+" "+step.Status)
		}
		want := []string{"packages done", "docker done", "storage done", "secrets done", "images done", "compose done", "health done"}
		if diff := cmp.Diff(want, steps); diff != "" {
			t.Errorf("round %d: %s", round, diff)
		}
		if len(r.Pulls) != 6 {
			t.Errorf("round %d: %d pulls, want 6", round, len(r.Pulls))
		}
		for _, pull := range r.Pulls {
			if pull.Status != "done" {
				t.Errorf("round %d: %+v", round, pull)
			}
		}
	}
	calls := readUnder(t, root, "/calls")
	for call, want := range map[string]int{"mkfs.ext4 ": 1, "systemctl daemon-reload": 2, " up -d --remove-orphans": 2, "start --no-block geusemaker-models.service": 2} {
		if got := strings.Count(calls, call); got != want {
			t.Errorf("%q was called %d times, want %d", call, got, want)
		}
	}
	if strings.Contains(calls, "upgrade") {
		t.Error("the system was upgraded")
	}
	log := readUnder(t, root, logFile)
	for _, secret := range []string{"qdrant-key", "ollama-token", "in-the-clear", "pg.Word", "the+secret/key", "imds-token"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	info, err := os.Stat(root + logFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log has mode %v (%v)", info.Mode(), err)
	}
}

func TestBootstrapTellsWhatFailed(t *testing.T) {
	tests := map[string]struct {
		release string
		spoil   func(*testing.T, string)
		step    string
		detail  string
	}{
		"unknown system": {"ID=debian\nPRETTY_NAME=\"Debian 12\"\n", func(*testing.T, string) {}, "packages", "Debian 12 is not supported"},
		"a command that nobody foresaw": {ubuntu, func(t *testing.T, root string) {
			stub(t, root, "resize2fs", "echo 'resize2fs: Bad magic number'; exit 1")
		}, "storage", "resize2fs: Bad magic number"},
		"an image that is not there": {ubuntu, func(t *testing.T, root string) {
			file := root + "/etc/geusemaker/machine.env"
			environment, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, append(environment, "IMAGE_N8N=broken:1\n"...), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "images", "1 of the images cannot be pulled"},
		"a service that stays sick": {ubuntu, func(t *testing.T, root string) {
			writeUnder(t, root, "/sick", "", 0o644)
			patch(t, root, "lib/services.sh", "SECONDS < 1200", "SECONDS < 0")
		}, "health", "not healthy after 20 minutes: gateway"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root, environment := bare(t, test.release, func(*stack.Machine) {})
			test.spoil(t, root)
			if err := boot(root, environment); err == nil {
				t.Error("the run did not fail")
			}
			r, _ := report(t, root)
			last := r.Steps[len(r.Steps)-1]
			if r.Complete || !r.Failed || last.Name != test.step || last.Status != "failed" || !strings.Contains(last.Detail, test.detail) {
				t.Errorf("complete %t, failed %t, last step %+v, want %s with %q", r.Complete, r.Failed, last, test.step, test.detail)
			}
			marker := readUnder(t, root, "/var/lib/geusemaker/userdata-failed")
			if test.step == "health" && (!strings.Contains(marker, "the last words of geusemaker-gateway-1") || strings.Contains(marker, "of geusemaker-n8n-1")) {
				t.Errorf("the marker does not hold what the sick service said:\n%s", marker)
			}
			if !strings.Contains(marker, "step: "+test.step) || !strings.Contains(marker, test.detail) {
				t.Errorf("the marker says %s", marker)
			}
		})
	}
}

// patch changes a script where a test would have to wait.
func patch(t *testing.T, root, script, old, replacement string) {
	t.Helper()
	file := "/opt/geusemaker/" + script
	text := readUnder(t, root, file)
	if !strings.Contains(text, old) {
		t.Fatalf("%s does not contain %q", script, old)
	}
	writeUnder(t, root, file, strings.ReplaceAll(text, old, replacement), 0o644)
}
