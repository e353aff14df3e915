package host

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

const backupFolder = "/mnt/geusemaker/files/gm-7f3k2q/backups"

// A vectorStore is Qdrant's API with two collections. It keeps what is uploaded.
type vectorStore struct {
	root    string
	mu      sync.Mutex
	uploads map[string]string // collection -> snapshot
}

func (v *vectorStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Api-Key") != "qdrant-key" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	collection := strings.Split(r.URL.Path+"//", "/")[2]
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/collections":
		io.WriteString(w, `{"result":{"collections":[{"name":"docs"},{"name":"chat_memory"}]},"status":"ok","time":1.2e-5}`)
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/snapshots"):
		name := collection + "-1.snapshot"
		folder := filepath.Join(v.root, "/mnt/geusemaker/data/snapshots", collection)
		if os.MkdirAll(folder, 0o755) != nil || os.WriteFile(filepath.Join(folder, name), []byte("vectors of "+collection), 0o600) != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, `{"result":{"name":"%s","creation_time":"2026-11-23T10:00:00","size":7,"checksum":"ab"},"status":"ok"}`, name)
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/snapshots/upload") && r.URL.Query().Get("priority") == "snapshot":
		file, _, err := r.FormFile("snapshot")
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		content, _ := io.ReadAll(file)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.uploads[collection] = string(content)
		io.WriteString(w, `{"result":true}`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// running is a machine whose stack is up, with a Qdrant that answers.
func running(t *testing.T) (string, []string, *vectorStore) {
	t.Helper()
	root, environment := bare(t, ubuntu, func(*stack.Machine) {})
	vectors := &vectorStore{root: root, uploads: map[string]string{}}
	server := httptest.NewServer(vectors)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	patch(t, root, "lib/backup.sh", ":6333/", ":"+port+"/")
	docker := readUnder(t, root, "/stubs/docker")
	writeUnder(t, root, "/stubs/docker", strings.Replace(docker, `case "$*" in`, `case "$*" in
	"inspect -f "*) echo 127.0.0.1 ;;
	"exec -i geusemaker-postgres-1 pg_dump -U n8n -Fc n8n") printf 'the tables' ;;
	"exec -i geusemaker-postgres-1 pg_restore -U n8n -d n8n --clean --if-exists") cat >>"$GEUSEMAKER_ROOT/restored" ;;
	"exec -i geusemaker-n8n-1 n8n export:workflow --all "*) printf '[]' >"$GEUSEMAKER_ROOT/mnt/geusemaker/files/gm-7f3k2q/n8n/workflow.json" ;;
	"exec -i geusemaker-n8n-1 n8n export:credentials "*) exit 1 ;;`, 1), 0o755)
	return root, environment, vectors
}

func program(root string, environment []string, name string, arguments ...string) error {
	command := exec.Command(root+"/opt/geusemaker/"+name, arguments...)
	command.Env = environment
	return command.Run()
}

func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

func TestBackupHoldsBothDatabasesAndTheExports(t *testing.T) {
	root, environment, _ := running(t)
	if err := boot(root, environment); err != nil {
		t.Fatalf("%v\n%s", err, readUnder(t, root, logFile))
	}
	for i := range 9 {
		writeUnder(t, root, fmt.Sprintf("%s/2026110%dT000000Z/n8n.dump", backupFolder, i), "old", 0o600)
	}
	writeUnder(t, root, backupFolder+"/20261108T000001Z.part/n8n.dump", "torn", 0o600)
	if err := program(root, environment, "backup"); err != nil {
		t.Fatalf("%v\n%s", err, readUnder(t, root, logFile))
	}
	kept := names(t, root+backupFolder)
	if len(kept) != 7 || kept[0] != "20261103T000000Z" {
		t.Fatalf("kept %v, want the last seven and nothing torn", kept)
	}
	newest := backupFolder + "/" + kept[6]
	if diff := cmp.Diff([]string{"chat_memory.snapshot", "docs.snapshot", "n8n.dump", "workflow.json"}, names(t, root+newest)); diff != "" {
		t.Error(diff)
	}
	if got := readUnder(t, root, newest+"/n8n.dump") + ", " + readUnder(t, root, newest+"/docs.snapshot"); got != "the tables, vectors of docs" {
		t.Errorf("the backup holds %q", got)
	}
	if left := names(t, root+"/mnt/geusemaker/data/snapshots/docs"); len(left) != 0 {
		t.Errorf("snapshots are left on the data volume: %v", left)
	}
	info, err := os.Stat(root + newest)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the backup has mode %v (%v)", info.Mode(), err)
	}
}

func TestABackupThatFailsLeavesTheOldOnes(t *testing.T) {
	root, environment, _ := running(t)
	if err := boot(root, environment); err != nil {
		t.Fatal(err)
	}
	writeUnder(t, root, backupFolder+"/20261101T000000Z/n8n.dump", "old", 0o600)
	docker := readUnder(t, root, "/stubs/docker")
	writeUnder(t, root, "/stubs/docker", strings.Replace(docker, "printf 'the tables'", "exit 1", 1), 0o755)
	if err := program(root, environment, "backup"); err == nil {
		t.Error("the backup did not fail")
	}
	for _, name := range names(t, root+backupFolder) {
		if name != "20261101T000000Z" && !strings.HasSuffix(name, ".part") {
			t.Errorf("%s stands there as if it were whole", name)
		}
	}
}

// A machine in another zone gets a new, empty volume: it takes over what the last one has left on the file system.
func TestANewVolumeIsFilledFromTheNewestBackup(t *testing.T) {
	root, environment, vectors := running(t)
	for name, content := range map[string]string{
		"20261101T000000Z/n8n.dump": "old", "20261102T000000Z/n8n.dump": "new", "20261102T000000Z/docs.snapshot": "vectors",
		"20261103T000000Z.part/n8n.dump": "torn",
	} {
		writeUnder(t, root, backupFolder+"/"+name, content, 0o600)
	}
	if err := boot(root, environment); err != nil {
		t.Fatalf("%v\n%s", err, readUnder(t, root, logFile))
	}
	if got := readUnder(t, root, "/restored"); got != "new" {
		t.Errorf("restored %q", got)
	}
	if diff := cmp.Diff(map[string]string{"docs": "vectors"}, vectors.uploads); diff != "" {
		t.Error(diff)
	}
	var order []string
	for line := range strings.Lines(readUnder(t, root, "/calls")) {
		for _, call := range []string{"up -d --wait postgres qdrant", "pg_restore", "up -d --remove-orphans"} {
			if strings.Contains(line, call) {
				order = append(order, call)
			}
		}
	}
	if diff := cmp.Diff([]string{"up -d --wait postgres qdrant", "pg_restore", "up -d --remove-orphans"}, order); diff != "" {
		t.Error(diff)
	}
	if r, _ := report(t, root); r.Steps[5].Detail != "restored 20261102T000000Z" {
		t.Errorf("the report says %+v", r.Steps[5])
	}
	// The database is now there; a second boot must leave it alone.
	writeUnder(t, root, "/mnt/geusemaker/data/postgres/PG_VERSION", "17\n", 0o600)
	if err := boot(root, environment); err != nil {
		t.Fatal(err)
	}
	if got := readUnder(t, root, "/restored"); got != "new" {
		t.Errorf("restored again: %q", got)
	}
}

func TestARestoreThatWasCutShortIsDoneAgain(t *testing.T) {
	root, environment, _ := running(t)
	writeUnder(t, root, backupFolder+"/20261102T000000Z/n8n.dump", "dump", 0o600)
	writeUnder(t, root, "/mnt/geusemaker/data/postgres/PG_VERSION", "17\n", 0o600)
	writeUnder(t, root, "/mnt/geusemaker/data/restore", "", 0o600)
	if err := boot(root, environment); err != nil {
		t.Fatalf("%v\n%s", err, readUnder(t, root, logFile))
	}
	if got := readUnder(t, root, "/restored"); got != "dump" {
		t.Errorf("restored %q", got)
	}
}

func TestTheSpotNoticeStopsTheStackAfterAQuickBackup(t *testing.T) {
	root, environment, _ := running(t)
	if err := boot(root, environment); err != nil {
		t.Fatal(err)
	}
	polls := 0
	spot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/latest/api/token":
			io.WriteString(w, "token")
		case "/latest/meta-data/instance-life-cycle":
			io.WriteString(w, "spot")
		case "/latest/meta-data/spot/instance-action":
			if polls++; polls < 3 {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			io.WriteString(w, `{"action":"terminate","time":"2026-11-23T12:02:00Z"}`)
		}
	}))
	t.Cleanup(spot.Close)
	if err := program(root, append(environment, "GEUSEMAKER_METADATA="+spot.URL), "spot"); err != nil {
		t.Fatalf("%v\n%s", err, readUnder(t, root, logFile))
	}
	calls := readUnder(t, root, "/calls")
	dump, stop := strings.Index(calls, "pg_dump"), strings.Index(calls, " stop --timeout 30")
	if dump < 0 || stop < dump || strings.Contains(calls, "n8n export") {
		t.Errorf("calls are\n%s", calls)
	}
	if strings.Count(calls, "sleep 5\n") != 2 {
		t.Errorf("it did not wait for the notice:\n%s", calls)
	}
	if len(names(t, root+backupFolder)) != 1 {
		t.Error("there is no backup")
	}
}

func TestOnlyASpotMachineIsWatched(t *testing.T) {
	root, environment, _ := running(t)
	life := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "spot/") {
			t.Error("asked for a notice")
		}
		io.WriteString(w, "on-demand")
	}))
	t.Cleanup(life.Close)
	if err := program(root, append(environment, "GEUSEMAKER_METADATA="+life.URL), "spot"); err != nil {
		t.Error(err)
	}
}

func TestTheWatchDoesNotEndBecauseTheMetadataDid(t *testing.T) {
	root, environment, _ := running(t)
	down := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(down.Close)
	if err := program(root, append(environment, "GEUSEMAKER_METADATA="+down.URL), "spot"); err == nil {
		t.Error("the watch ended as if this were no spot machine")
	}
	if unit := readUnder(t, root, "/etc/systemd/system/geusemaker-spot.service"); !strings.Contains(unit, "Restart=on-failure\n") {
		t.Errorf("it is not started again:\n%s", unit)
	}
}

func TestBackupsAreMadeDailyUnlessSwitchedOff(t *testing.T) {
	for backup, want := range map[string]bool{"daily": true, "off": false} {
		root, environment := bare(t, ubuntu, func(m *stack.Machine) { m.Backup = backup })
		if err := boot(root, environment); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(readUnder(t, root, "/calls"), "systemctl start geusemaker-backup.timer\n"); got != want {
			t.Errorf("backup %s: timer started %t", backup, got)
		}
	}
}

func TestModelsArePulledOneByOne(t *testing.T) {
	root, environment := bare(t, ubuntu, func(m *stack.Machine) { m.Models = []string{"llama3.2:3b", "nosuch"} })
	ollama := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch string(body) {
		case `{"model":"llama3.2:3b"}`:
			io.WriteString(w, `{"status":"pulling dde5aa3fc5ff","digest":"sha256:dde5aa3fc5ff","total":2019377376,"completed":2019377376}`+"\n"+`{"status":"success"}`+"\n")
			writeUnder(t, root, "/model-llama3.2:3b", "", 0o644)
		case `{"model":"nosuch"}`:
			io.WriteString(w, `{"error":"pull model manifest: file does not exist"}`+"\n")
		default:
			t.Errorf("asked for %s at %s", body, r.URL.Path)
		}
	}))
	t.Cleanup(ollama.Close)
	patch(t, root, "lib/pulls.sh", "11434/api/pull", strings.TrimPrefix(ollama.URL, "http://127.0.0.1:")+"/api/pull")
	stub(t, root, "docker", `case "$*" in
	"inspect -f "*) echo 127.0.0.1 ;;
	"exec -i geusemaker-ollama-1 ollama show "*) [[ -e "$GEUSEMAKER_ROOT/model-$6" ]] ;;
	esac`)
	if err := os.MkdirAll(root+"/var/lib/geusemaker/pulls", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := program(root, environment, "models"); err == nil {
		t.Error("a model that does not exist is no failure")
	}
	r, _ := report(t, root)
	want := []stack.ImagePull{{Image: "llama3.2:3b", Status: "done", Done: 2019377376, Total: 2019377376}, {Image: "nosuch", Status: "failed"}}
	if diff := cmp.Diff(want, r.Pulls); diff != "" {
		t.Error(diff)
	}
	if log := readUnder(t, root, logFile); !strings.Contains(log, "file does not exist") || !strings.Contains(log, "1 of 2 models cannot be pulled") {
		t.Errorf("the log says\n%s", log)
	}
}
