package machine

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"geusemaker/internal/host"
)

// publish makes the images that the product pins and puts them into a registry.
func publish(t *testing.T) *Registry {
	t.Helper()
	registry := NewRegistry(t.TempDir())
	stub := prepared("bin/stub")
	pinned := host.Images()
	for service, image := range map[string]Image{
		"n8n":      {User: "1000:1000", Entrypoint: []string{"/stub/n8n"}, Env: []string{"HOME=/home/node"}},
		"ollama":   {Entrypoint: []string{"/stub/ollama"}, Cmd: []string{"serve"}, Env: []string{"OLLAMA_HOST=0.0.0.0:11434"}},
		"qdrant":   {Entrypoint: []string{"/stub/qdrant"}},
		"crawl4ai": {User: "999:999", Entrypoint: []string{"/stub/crawl4ai"}},
		"postgres": {Entrypoint: []string{"/stub/postgres-entrypoint"}, StopSignal: "SIGINT", Env: []string{
			"PGDATA=/var/lib/postgresql/data", "PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin",
		}},
		"gateway": {
			Cmd: []string{"/usr/bin/caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"},
			Env: []string{"XDG_CONFIG_HOME=/config", "XDG_DATA_HOME=/data"},
		},
	} {
		if len(image.Env) == 0 || service != "postgres" {
			image.Env = append(image.Env, "PATH=/stub:/usr/bin:/bin")
		}
		layers := []string{prepared("images/" + service)}
		if service != "gateway" {
			layers = append(layers, part(t, stub, filepath.Base(image.Entrypoint[0])))
		}
		registry.Add(t, repository(pinned[service]), image, layers...)
	}
	return registry
}

// part is a layer with the stub under the name of the part that it plays.
func part(t *testing.T, stub, name string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "stub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", stub, filepath.Join(folder, "stub", name)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return folder
}

// repository is the full name of an image on Docker Hub, whose own images belong to library.
func repository(image string) string {
	if filepath.Base(image) == image {
		return "library/" + image
	}
	return image
}
