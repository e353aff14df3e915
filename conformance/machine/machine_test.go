package machine

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/host"
	"geusemaker/internal/stack"
)

// TestMachine boots a machine of each family from nothing to services that answer, and then again and again.
func TestMachine(t *testing.T) {
	registry := publish(t)
	families := []family{ubuntu2404, amazonLinux2023}
	if os.Getenv("MACHINES") == "all" {
		families = append(families, ubuntu2204, amazonLinux2)
	}
	for _, f := range families {
		t.Run(f.osType, func(t *testing.T) { life(t, f, registry) })
	}
}

// life is a machine's: first boot, the same again, a reboot, a backup, the end that EC2 announces, and another machine
// with a blank volume that finds the backup.
func life(t *testing.T, f family, registry *Registry) {
	d := deploy(t, append([]string{"--os-type", f.osType, "--models", "llama3.2:3b,missing"}, f.flags...)...)
	t.Logf("user data: %d bytes", len(d.userData))
	metadata := NewMetadata()
	world := NewWorld(t, internet(registry, &systemsManager{deployment: d}), metadata)
	m := NewMachine(t, world, d.userData)
	f.install(t, m)
	foreign, blank := NewDisk(t, "nvme1n1"), NewDisk(t, "nvme2n1")
	run(t, "mkfs.ext4", "-q", "-L", "precious", foreign.device())
	precious := run(t, "sha256sum", foreign.device())

	m.Boot(t, foreign, blank)
	report := m.AwaitBoot(t)
	checkReport(t, report)
	checkStorage(t, m, blank)
	if after := run(t, "sha256sum", foreign.device()); after != precious {
		t.Error("a volume that held somebody's data was written to")
	}
	checkContainers(t, m, d)
	checkSecrets(t, m, d)
	checkGateway(t, d)
	checkModels(t, m)

	fill(t, d, m)
	first := containers(t, m)
	m.Run(t, "systemctl", "restart", "geusemaker.service")
	again := m.AwaitBoot(t)
	logSteps(t, "run again", again)
	if now := containers(t, m); now != first {
		t.Errorf("another run of the bootstrap changed the containers\nbefore:\n%safter:\n%s", first, now)
	}

	m.Reboot(t, foreign, blank)
	report = m.AwaitBoot(t)
	logSteps(t, "reboot", report)
	checkStorage(t, m, blank)
	checkGateway(t, d)
	checkFilled(t, d, m)

	checkBackup(t, m)
	checkSpot(t, m, metadata)
	metadata.Remove("spot/instance-action")
	m.Shutdown(t)

	successor := NewMachine(t, world, d.userData)
	f.install(t, successor)
	successor.folderOf(t, m)
	successor.Boot(t, NewDisk(t, "nvme3n1"))
	report = successor.AwaitBoot(t)
	logSteps(t, "another machine, restored", report)
	checkFilled(t, d, successor)
	checkGateway(t, d)
	successor.Shutdown(t)
}

// logSteps writes down how long each step took.
func logSteps(t *testing.T, title string, report stack.Report) {
	t.Helper()
	var out strings.Builder
	for _, s := range report.Steps {
		out.WriteString(" " + s.Name + " " + time.Duration(s.Seconds*float64(time.Second)).Round(10*time.Millisecond).String())
	}
	t.Logf("%s:%s", title, out.String())
}

func checkReport(t *testing.T, report stack.Report) {
	t.Helper()
	logSteps(t, "first boot", report)
	var names []string
	for _, s := range report.Steps {
		names = append(names, s.Name)
		if s.Status != "done" {
			t.Errorf("step %s is %s: %s", s.Name, s.Status, s.Detail)
		}
	}
	if want := []string{"packages", "docker", "storage", "secrets", "images", "compose", "health"}; !slices.Equal(names, want) {
		t.Errorf("steps are %v, want %v", names, want)
	}
	var services []string
	for _, s := range report.Services {
		services = append(services, s.Service)
		if s.Health != stack.Healthy {
			t.Errorf("%s is %s: %s", s.Service, s.Health, s.Detail)
		}
	}
	if want := []string{"crawl4ai", "gateway", "n8n", "ollama", "postgres", "qdrant"}; !slices.Equal(services, want) {
		t.Errorf("services are %v, want %v", services, want)
	}
	for _, p := range report.Pulls {
		if !strings.HasPrefix(p.Image, "llama") && p.Image != "missing" && (p.Status != "done" || p.Total == 0 || p.Done != p.Total) {
			t.Errorf("the pull of %s is %+v", p.Image, p)
		}
	}
	var kinds []string
	for _, disk := range report.Disks {
		kinds = append(kinds, disk.Kind)
		if disk.Size == 0 || disk.Used > disk.Size {
			t.Errorf("disk %+v", disk)
		}
	}
	if want := []string{"root", "data", "files"}; !slices.Equal(kinds, want) {
		t.Errorf("disks are %v, want %v", kinds, want)
	}
	if report.Log.Size == 0 || !strings.Contains(report.Log.Text, "step packages") {
		t.Errorf("the log is %+v", report.Log)
	}
}

// checkStorage looks at the mounts as the kernel and systemd see them.
func checkStorage(t *testing.T, m *Machine, blank Disk) {
	t.Helper()
	m.Run(t, "test", "-s", "/var/lib/geusemaker/userdata-complete")
	uuid := strings.TrimSpace(run(t, "blkid", "-p", "-s", "UUID", "-o", "value", blank.device()))
	table := m.Run(t, "cat", "/etc/fstab")
	if strings.Count(table, "UUID="+uuid+" /mnt/geusemaker/data ext4 ") != 1 {
		t.Errorf("fstab does not mount the volume by its UUID %s:\n%s", uuid, table)
	}
	if source := m.Run(t, "findmnt", "-nro", "SOURCE,FSTYPE", "/mnt/geusemaker/data"); strings.TrimSpace(source) != "/dev/"+blank.loop+" ext4" {
		t.Errorf("the data is on %q, want the blank volume %s", source, blank.loop)
	}
	m.Run(t, "mountpoint", "/mnt/geusemaker/files")
	wants := m.Run(t, "systemctl", "show", "-p", "Requires", "-p", "After", "docker.service")
	for _, unit := range []string{"mnt-geusemaker-data.mount", "mnt-geusemaker-files.mount"} {
		if strings.Count(wants, unit) != 2 {
			t.Errorf("docker does not require and follow %s:\n%s", unit, wants)
		}
	}
}

// An inspection is what Docker tells of a container, as far as it is judged here.
type inspection struct {
	Name       string
	HostConfig struct {
		LogConfig struct {
			Type   string
			Config map[string]string
		}
		Memory        int64
		PortBindings  map[string]any
		RestartPolicy struct{ Name string }
		Privileged    bool
		SecurityOpt   []string
	}
}

func inspections(t *testing.T, m *Machine) (list []inspection, text map[string]string) {
	t.Helper()
	text = map[string]string{}
	for name := range strings.FieldsSeq(m.Run(t, "docker", "ps", "-a", "--format", "{{.Names}}")) {
		said := m.Run(t, "docker", "inspect", name)
		var one []inspection
		if err := json.Unmarshal([]byte(said), &one); err != nil || len(one) != 1 {
			t.Fatalf("inspect %s: %v", name, err)
		}
		list = append(list, one[0])
		text[strings.TrimSuffix(strings.TrimPrefix(name, "geusemaker-"), "-1")] = said
	}
	return list, text
}

func checkContainers(t *testing.T, m *Machine, d deployment) {
	t.Helper()
	list, text := inspections(t, m)
	for _, c := range list {
		log := c.HostConfig.LogConfig
		if log.Type != "local" || log.Config["max-size"] != "10m" || log.Config["max-file"] != "3" {
			t.Errorf("%s keeps its log in %+v without an end", c.Name, log)
		}
		if published := len(c.HostConfig.PortBindings) > 0; published != (c.Name == "/geusemaker-gateway-1") {
			t.Errorf("%s publishes %v", c.Name, c.HostConfig.PortBindings)
		}
		if c.HostConfig.Memory == 0 || c.HostConfig.RestartPolicy.Name != "unless-stopped" || c.HostConfig.Privileged ||
			!slices.Contains(c.HostConfig.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s runs with %+v", c.Name, c.HostConfig)
		}
	}
	allowed := map[string][]string{
		stack.SecretPostgresPassword: {"postgres", "n8n"},
		stack.SecretN8NEncryptionKey: {"n8n"},
		stack.SecretN8NJWT:           {"n8n"},
		stack.SecretN8NOwnerEmail:    {"n8n"},
		stack.SecretN8NOwnerHash:     {"n8n"},
		stack.SecretOllamaToken:      {"gateway"},
		stack.SecretQdrantAPIKey:     {"qdrant"},
		stack.SecretCrawl4AIToken:    {"crawl4ai"},
	}
	for name, secret := range d.secrets {
		for service, said := range text {
			if knows := strings.Contains(said, secret); knows != slices.Contains(allowed[name], service) {
				t.Errorf("%s knows %s: %v", service, name, knows)
			}
		}
	}
}

// checkSecrets looks for secrets where none may be: on disk outside of the databases, in arguments and in logs.
func checkSecrets(t *testing.T, m *Machine, d deployment) {
	t.Helper()
	for _, place := range [][]string{
		{"ps", "axww", "-o", "args"},
		{"journalctl", "--no-pager"},
		{"cat", "/var/log/geusemaker-userdata.log", "/var/log/cloud-init.log", "/var/log/cloud-init-output.log"},
		{"grep", "-rhaI", "", "/etc/geusemaker", "/opt/geusemaker", "/var/lib/geusemaker", "/var/lib/cloud", "/etc/systemd/system"},
	} {
		said := m.Run(t, place...)
		for name, secret := range d.secrets {
			if strings.Contains(said, secret) {
				t.Errorf("%s is in what `%s` shows", name, strings.Join(place, " "))
			}
		}
	}
	if modes := m.Run(t, "bash", "-c", "stat -c %a /run/geusemaker/secrets /run/geusemaker/secrets/* | sort | uniq -c | xargs"); strings.TrimSpace(modes) != "5 600 1 700" {
		t.Errorf("the modes of the secrets' files are %q", modes)
	}
	if kind := m.Run(t, "stat", "-f", "-c", "%T", "/run/geusemaker/secrets"); strings.TrimSpace(kind) != "tmpfs" {
		t.Errorf("secrets lie on %s", kind)
	}
}

// client asks as a user's computer does, without knowing the gateway's own authority.
var client = &http.Client{
	Timeout:       10 * time.Second,
	Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask returns the status and the text of an answer; 0 is none.
func ask(method, url, header, body string) (status int, text string) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(said)
}

// awaitGateway asks from outside until the gateway answers, as deploy does: it makes its certificates once it has started. What
// does not answer then, the checks tell.
func awaitGateway() {
	until := time.Now().Add(time.Minute)
	for status := 0; status != http.StatusOK && time.Now().Before(until); time.Sleep(500 * time.Millisecond) {
		status, _ = ask(http.MethodGet, "https://"+machineAddress+"/healthz/readiness", "", "")
	}
}

// checkGateway asks from outside of the machine.
func checkGateway(t *testing.T, d deployment) {
	t.Helper()
	const gateway = "https://" + machineAddress
	ollama, crawl4ai := "Authorization: Bearer "+d.secrets[stack.SecretOllamaToken], "Authorization: Bearer "+d.secrets[stack.SecretCrawl4AIToken]
	awaitGateway()
	for _, c := range []struct {
		url, header string
		status      int
	}{
		{gateway + "/healthz/readiness", "", http.StatusOK},
		{"http://" + machineAddress + "/", "", http.StatusPermanentRedirect},
		{gateway + ":11434/api/version", "", http.StatusOK},
		{gateway + ":11434/api/tags", "", http.StatusUnauthorized},
		{gateway + ":11434/api/tags", "Authorization: Bearer wrong", http.StatusUnauthorized},
		{gateway + ":11434/api/tags", crawl4ai, http.StatusUnauthorized},
		{gateway + ":11434/api/version/../tags", "", http.StatusUnauthorized},
		{gateway + ":11434/api/tags", ollama, http.StatusOK},
		{gateway + ":6333/readyz", "", http.StatusOK},
		{gateway + ":6333/collections", "", http.StatusUnauthorized},
		{gateway + ":6333/collections", "api-key: " + d.secrets[stack.SecretQdrantAPIKey], http.StatusOK},
		{gateway + ":11235/health", "", http.StatusOK},
		{gateway + ":11235/crawl", "", http.StatusUnauthorized},
		{gateway + ":11235/crawl", crawl4ai, http.StatusOK},
	} {
		if status, text := ask(http.MethodGet, c.url, c.header, ""); status != c.status {
			t.Errorf("%s answers %d, want %d: %s", c.url, status, c.status, text)
		}
	}
	if _, text := ask(http.MethodGet, gateway+"/", "", ""); text != `{"host":"`+machineAddress+`","proto":"https","url":"`+gateway+`"}`+"\n" {
		t.Errorf("n8n sees the user as %s", text)
	}
	for _, port := range []string{"2019", "2020", "2375", "5432", "5678", "6334", "8080"} {
		if connection, err := net.DialTimeout("tcp", machineAddress+":"+port, 2*time.Second); err == nil {
			connection.Close()
			t.Errorf("port %s is open to the world", port)
		}
	}
	prober := host.NewProber(nil, engine.Wall{}, stack.HTTPSInternal)
	for _, e := range prober.Probe(context.Background(), host.Endpoints(machineAddress, stack.Config{HTTPS: stack.HTTPSInternal, Access: stack.AccessDirect})) {
		if e.Health != stack.Healthy {
			t.Errorf("the probe finds %s %s: %s", e.Service, e.Health, e.Detail)
		}
	}
}

// checkModels wants the model that exists and word of the one that does not.
func checkModels(t *testing.T, m *Machine) {
	t.Helper()
	var pulls []stack.ImagePull
	m.await(t, time.Minute, "the models", func() bool {
		pulls = slices.DeleteFunc(m.Report(t, 0).Pulls, func(p stack.ImagePull) bool { return p.Image != "llama3.2:3b" && p.Image != "missing" })
		return len(pulls) == 2 && pulls[1].Status != "waiting" && pulls[1].Status != "pulling"
	})
	if pulls[0].Status != "done" || pulls[1].Status != "failed" {
		t.Errorf("the models are %+v", pulls)
	}
	m.Run(t, "test", "-s", "/mnt/geusemaker/files/ollama/models/llama3.2_3b")
}

// containers tells which containers run since when.
func containers(t *testing.T, m *Machine) string {
	t.Helper()
	return m.Run(t, "bash", "-c", "docker inspect -f '{{.Name}} {{.Id}} {{.State.StartedAt}}' $(docker ps -q) | sort")
}

// fill writes into both databases.
func fill(t *testing.T, d deployment, m *Machine) {
	t.Helper()
	m.Run(t, "docker", "exec", "geusemaker-postgres-1", "psql", "-U", "n8n", "-c", "create table kept (word text); insert into kept values ('precious')")
	if status, text := ask(http.MethodPut, "https://"+machineAddress+":6333/collections/docs", "api-key: "+d.secrets[stack.SecretQdrantAPIKey], `{"vectors":{}}`); status != http.StatusOK {
		t.Fatalf("qdrant answers %d: %s", status, text)
	}
}

func checkFilled(t *testing.T, d deployment, m *Machine) {
	t.Helper()
	awaitGateway()
	if said := m.Run(t, "docker", "exec", "geusemaker-postgres-1", "psql", "-U", "n8n", "-Atc", "select word from kept"); said != "precious\n" {
		t.Errorf("PostgreSQL holds %q", said)
	}
	if _, text := ask(http.MethodGet, "https://"+machineAddress+":6333/collections", "api-key: "+d.secrets[stack.SecretQdrantAPIKey], ""); !strings.Contains(text, `"docs"`) {
		t.Errorf("Qdrant holds %s", text)
	}
}

// checkBackup makes a backup among old ones and wants the newest seven to stay.
func checkBackup(t *testing.T, m *Machine) {
	t.Helper()
	if timer := m.Run(t, "systemctl", "is-active", "geusemaker-backup.timer"); timer != "active\n" {
		t.Errorf("the daily backup is %s", timer)
	}
	m.Run(t, "bash", "-c", "cd /mnt/geusemaker/files/*/backups && mkdir -p 2020010{1..9}T000000Z 20200110T000000Z.part")
	m.Run(t, "systemctl", "start", "geusemaker-backup.service")
	list := strings.Fields(m.Run(t, "bash", "-c", "ls /mnt/geusemaker/files/*/backups"))
	if len(list) != 7 || list[0] != "20200104T000000Z" {
		t.Errorf("backups are %v", list)
	}
	newest := m.Run(t, "bash", "-c", "cd /mnt/geusemaker/files/*/backups/"+list[len(list)-1]+" && find . -type f -size +0 | sort | xargs")
	if strings.TrimSpace(newest) != "./credentials.json ./docs.snapshot ./n8n.dump ./workflow.json" {
		t.Errorf("the backup holds %s", newest)
	}
}

// checkSpot tells the machine that EC2 takes it back.
func checkSpot(t *testing.T, m *Machine, metadata *Metadata) {
	t.Helper()
	if state := m.Run(t, "systemctl", "is-active", "geusemaker-spot.service"); state != "active\n" {
		t.Errorf("the watch over the spot notice is %s", state)
	}
	before := m.Run(t, "bash", "-c", "ls /mnt/geusemaker/files/*/backups | tail -n 1")
	start := time.Now()
	metadata.Set("spot/instance-action", `{"action":"terminate","time":"2026-11-23T00:02:00Z"}`)
	m.await(t, 2*time.Minute, "the containers to stop on the spot notice", func() bool {
		return strings.TrimSpace(m.Run(t, "docker", "ps", "-q")) == ""
	})
	t.Logf("spot notice: backed up and stopped after %s", time.Since(start).Round(time.Second))
	if after := m.Run(t, "bash", "-c", "ls /mnt/geusemaker/files/*/backups | tail -n 1"); after == before {
		t.Error("no backup was made on the spot notice")
	}
	exits := m.Run(t, "bash", "-c", "docker inspect -f '{{.Name}} {{.State.ExitCode}}' geusemaker-postgres-1 geusemaker-qdrant-1 geusemaker-n8n-1 | xargs")
	if strings.TrimSpace(exits) != "/geusemaker-postgres-1 0 /geusemaker-qdrant-1 0 /geusemaker-n8n-1 0" {
		t.Errorf("the services did not end well: %s", exits)
	}
}

// folderOf gives the machine the file system of another, as EFS would.
func (m *Machine) folderOf(t *testing.T, other *Machine) {
	t.Helper()
	efs := filepath.Join(m.folder, "efs")
	if err := os.Remove(efs); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(other.folder, "efs"), efs); err != nil {
		t.Fatal(err)
	}
}
