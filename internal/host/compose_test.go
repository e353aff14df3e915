package host

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// load reads the compose files of m as `docker compose` would on the machine, with the secrets that were handed out.
func load(t *testing.T, m stack.Machine) *types.Project {
	t.Helper()
	files, err := Files(m)
	if err != nil {
		t.Fatal(err)
	}
	run := t.TempDir()
	handOut(t, run, sampleSecrets)
	environment, _ := content(files, "/etc/geusemaker/machine.env")
	variables, err := dotenv.Parse(strings.NewReader(environment))
	if err != nil {
		t.Fatal(err)
	}
	variables["PUBLIC_HOST"] = "203.0.113.5"
	variables["PUBLIC_URL"] = variables["GATEWAY_SCHEME"] + "://203.0.113.5"
	details := types.ConfigDetails{WorkingDir: "/opt/geusemaker", Environment: variables}
	for _, name := range []string{"compose.yaml", "compose.gpu.yaml", "compose.user.yaml"} {
		if text, ok := content(files, "/opt/geusemaker/"+name); ok {
			text = strings.ReplaceAll(text, "/run/geusemaker", run)
			details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: name, Content: []byte(text)})
		}
	}
	project, err := loader.LoadWithContext(t.Context(), details)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// sampleSecrets is a parameter as the tool writes it, with what a bcrypt hash and base64 may hold.
const sampleSecrets = `POSTGRES_PASSWORD=pg.Word/1@-$x
N8N_ENCRYPTION_KEY=key==
N8N_USER_MANAGEMENT_JWT_SECRET=jwt
N8N_INSTANCE_OWNER_EMAIL=owner@example.com
N8N_INSTANCE_OWNER_PASSWORD=in-the-clear
N8N_INSTANCE_OWNER_PASSWORD_HASH=$2a$10$abcdefghijklmnopqrstuu/ABCDEFGHIJKLMNOPQRSTUVWXYZ01234
OLLAMA_TOKEN=ollama-token
QDRANT__SERVICE__API_KEY=qdrant-key
CRAWL4AI_API_TOKEN=crawl-token
`

// handOut lets the machine's own script write the environment files under run.
func handOut(t *testing.T, run, secrets string) {
	t.Helper()
	out, err := shell(t, install(t, machine()), "step secrets", `run=$RUN; read_parameter() { values=$SECRETS; }; step_secrets`, "RUN="+run, "SECRETS="+secrets)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestComposeLoadsForEveryVariant(t *testing.T) {
	for name, m := range variants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			project := load(t, m)
			if got, want := slices.Sorted(maps.Keys(project.Services)), slices.Sorted(maps.Keys(Images())); !slices.Equal(got, want) {
				t.Fatalf("services are %v, want %v", got, want)
			}
			for name, service := range project.Services {
				if service.HealthCheck == nil || len(service.HealthCheck.Test) < 2 {
					t.Errorf("%s has no health check", name)
				}
				if service.Restart != "unless-stopped" {
					t.Errorf("%s restarts %q", name, service.Restart)
				}
				if service.MemLimit < 100<<20 {
					t.Errorf("%s is limited to %d bytes", name, service.MemLimit)
				}
				if service.Logging == nil || service.Logging.Options["max-size"] == "" {
					t.Errorf("the log of %s grows without end", name)
				}
				if (len(service.Ports) > 0) != (name == "gateway") {
					t.Errorf("%s publishes %v", name, service.Ports)
				}
				if service.Privileged || service.NetworkMode == "host" {
					t.Errorf("%s can reach the instance metadata", name)
				}
			}
			for _, port := range project.Services["gateway"].Ports {
				if want := map[string]string{"direct": "0.0.0.0", "tunnel": "127.0.0.1"}[m.Access]; port.HostIP != want {
					t.Errorf("port %s is bound to %s, want %s", port.Published, port.HostIP, want)
				}
			}
			ollama := project.Services["ollama"]
			if reserved := ollama.Deploy != nil && ollama.Deploy.Resources.Reservations != nil; reserved != (m.Workload == "gpu") {
				t.Errorf("ollama reserves a GPU: %t", reserved)
			}
			if got, want := *project.Services["n8n"].Environment["N8N_SECURE_COOKIE"], map[bool]string{true: "false", false: "true"}[m.HTTPS == "off"]; got != want {
				t.Errorf("N8N_SECURE_COOKIE is %s with https %s", got, m.HTTPS)
			}
		})
	}
}

// Each port that the command line promises must be published, in every way of serving.
func TestGatewayPublishesThePromisedPorts(t *testing.T) {
	for _, https := range []string{"internal", "off", "acme"} {
		published := map[string]bool{}
		for _, port := range load(t, machine(func(m *stack.Machine) { m.HTTPS, m.Domain = https, "ai.example.com" })).Services["gateway"].Ports {
			published[port.Published] = true
		}
		for _, service := range stack.Services(https) {
			if service.Port != 0 && !published[strconv.Itoa(service.Port)] {
				t.Errorf("https %s: port %d of %s is not published", https, service.Port, service.Name)
			}
		}
	}
}

// The gateway's sites carry the ports as plain text, and Ollama's health check must pass without the token.
func TestGatewayServesThePromisedPorts(t *testing.T) {
	caddyfile, err := os.ReadFile("files/Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range stack.Services(stack.HTTPSInternal) {
		site := "{$GATEWAY_SCHEME}://{$PUBLIC_HOST}:" + strconv.Itoa(service.Port) + ","
		if service.Name == "n8n" {
			site = "{$GATEWAY_SCHEME}://{$PUBLIC_HOST}, "
		}
		_, rest, found := strings.Cut(string(caddyfile), site)
		if service.Port != 0 && (!found || !strings.Contains(rest[:strings.Index(rest, "\n}")], "reverse_proxy "+service.Name+":")) {
			t.Errorf("no site %s leads to %s", site, service.Name)
		}
		if service.Name == "ollama" && !strings.Contains(rest[:strings.Index(rest, "\n}")], "not path "+service.HealthPath+"\n") {
			t.Errorf("the health check %s of %s needs a token", service.HealthPath, service.Name)
		}
	}
}

// A service gets its own secrets, unchanged, and no other's.
func TestEachServiceGetsItsOwnSecrets(t *testing.T) {
	secrets := map[string]string{}
	for line := range strings.Lines(sampleSecrets) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		secrets[key] = value
	}
	want := map[string]map[string]string{
		"postgres": {"POSTGRES_PASSWORD": secrets["POSTGRES_PASSWORD"]},
		"n8n": {
			"DB_POSTGRESDB_PASSWORD":           secrets["POSTGRES_PASSWORD"],
			"N8N_ENCRYPTION_KEY":               secrets["N8N_ENCRYPTION_KEY"],
			"N8N_USER_MANAGEMENT_JWT_SECRET":   secrets["N8N_USER_MANAGEMENT_JWT_SECRET"],
			"N8N_INSTANCE_OWNER_EMAIL":         secrets["N8N_INSTANCE_OWNER_EMAIL"],
			"N8N_INSTANCE_OWNER_PASSWORD_HASH": secrets["N8N_INSTANCE_OWNER_PASSWORD_HASH"],
		},
		"ollama":   {},
		"qdrant":   {"QDRANT__SERVICE__API_KEY": secrets["QDRANT__SERVICE__API_KEY"]},
		"crawl4ai": {"CRAWL4AI_API_TOKEN": secrets["CRAWL4AI_API_TOKEN"]},
		"gateway":  {"OLLAMA_TOKEN": secrets["OLLAMA_TOKEN"]},
	}
	got := map[string]map[string]string{}
	for name, service := range load(t, machine()).Services {
		got[name] = map[string]string{}
		for key, value := range service.Environment {
			if slices.Contains(secretNames, key) {
				got[name][key] = *value
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAUsersEnvironmentReachesTheContainerUnchanged(t *testing.T) {
	want := map[string]string{
		"N8N_DIAGNOSTICS_ENABLED": "true", // changes ours
		"PRICE":                   "$5 ${HOME} $$",
		"QUOTES":                  `"double" 'single' \ back`,
		"YES":                     "yes",
		"NUMBER":                  "007",
		"EMPTY":                   "",
		"LINES":                   "one\ntwo",
	}
	environment := load(t, machine(func(m *stack.Machine) { m.Env = map[string]map[string]string{"n8n": want} })).Services["n8n"].Environment
	for key, value := range want {
		if got := environment[key]; got == nil || *got != value {
			t.Errorf("%s is %v, want %q", key, got, value)
		}
	}
	if *environment["DB_TYPE"] != "postgresdb" {
		t.Error("our own settings are gone")
	}
}

func TestDataLiesOnTheRightDisk(t *testing.T) {
	project := load(t, machine())
	want := map[string]string{ // container path -> where on the machine
		"/var/lib/postgresql/data": "/mnt/geusemaker/data/postgres",
		"/qdrant/storage":          "/mnt/geusemaker/data/qdrant",
		"/qdrant/snapshots":        "/mnt/geusemaker/data/snapshots",
		"/home/node/.n8n":          "/mnt/geusemaker/files/gm-7f3k2q/n8n",
		"/root/.ollama":            "/mnt/geusemaker/files/ollama",
		"/data":                    "/mnt/geusemaker/files/gm-7f3k2q/gateway",
		"/etc/caddy/Caddyfile":     "/opt/geusemaker/Caddyfile",
	}
	got := map[string]string{}
	for _, service := range project.Services {
		for _, volume := range service.Volumes {
			got[volume.Target] = volume.Source
			if volume.Type != "bind" || volume.Bind.CreateHostPath {
				t.Errorf("%s could be made by Docker on the root disk", volume.Source)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Ollama has no login inside, and the database none but a password: who may talk to whom is a matter of networks.
func TestNetworksSeparateTheServices(t *testing.T) {
	project := load(t, machine())
	members := map[string][]string{}
	for name, service := range project.Services {
		for network := range service.Networks {
			members[network] = append(members[network], name)
		}
	}
	for network := range members {
		slices.Sort(members[network])
	}
	want := map[string][]string{
		"app":      {"gateway", "n8n", "ollama", "qdrant"},
		"crawl":    {"crawl4ai", "gateway", "n8n"},
		"database": {"n8n", "postgres"},
	}
	if diff := cmp.Diff(want, members); diff != "" {
		t.Error(diff)
	}
	if !project.Networks["database"].Internal {
		t.Error("the database can reach the internet")
	}
}

// The tools are those that each image holds (their Dockerfiles): a check with any other would never succeed.
func TestHealthChecksUseWhatTheImageHolds(t *testing.T) {
	tools := map[string]string{
		"postgres": "pg_isready", "n8n": "wget", "ollama": "ollama", "qdrant": "bash", "crawl4ai": "curl", "gateway": "wget",
	}
	for name, service := range load(t, machine()).Services {
		if test := service.HealthCheck.Test; test[0] != "CMD" || test[1] != tools[name] {
			t.Errorf("%s is checked by %v, want %s", name, test, tools[name])
		}
	}
}

// The check of Qdrant is bash talking to a socket; here against a server that is ready, one that is not, and none.
func TestQdrantHealthCheck(t *testing.T) {
	check := load(t, machine()).Services["qdrant"].HealthCheck.Test[3]
	for status, want := range map[string]bool{"200 OK": true, "503 Service Unavailable": false, "": false} {
		port := "1"
		if status != "" {
			port = serveOnce(t, "HTTP/1.1 "+status+"\r\n\r\n")
		}
		err := exec.Command("bash", "-c", strings.ReplaceAll(check, "6333", port)).Run()
		if (err == nil) != want {
			t.Errorf("%q: check ends with %v", status, err)
		}
	}
}

func TestSecretsAreReadableByRootOnly(t *testing.T) {
	run := t.TempDir()
	handOut(t, run, sampleSecrets)
	files, err := filepath.Glob(filepath.Join(run, "secrets", "*"))
	if err != nil || len(files) != 5 {
		t.Fatalf("files are %v (%v), want five", files, err)
	}
	for _, file := range append(files, filepath.Join(run, "secrets")) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %o", file, mode)
		}
	}
}
