package machine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

const (
	manifestType = "application/vnd.docker.distribution.manifest.v2+json"
	configType   = "application/vnd.docker.container.image.v1+json"
	layerType    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// A Registry serves images by the protocol of Docker Hub (distribution, spec/api), for reading only.
type Registry struct {
	manifests map[string][]byte // by name:tag and by digest
	blobs     map[string]string // digest to file
	folder    string
}

// An Image is what an image says of how it wants to be run.
type Image struct {
	User         string              `json:"User,omitempty"`
	Env          []string            `json:"Env,omitempty"`
	Entrypoint   []string            `json:"Entrypoint,omitempty"`
	Cmd          []string            `json:"Cmd,omitempty"`
	StopSignal   string              `json:"StopSignal,omitempty"`
	ExposedPorts map[string]struct{} `json:"ExposedPorts,omitempty"`
}

// NewRegistry keeps its blobs in folder.
func NewRegistry(folder string) *Registry {
	return &Registry{manifests: map[string][]byte{}, blobs: map[string]string{}, folder: folder}
}

// Add makes an image of folders, one layer each, and publishes it under a name such as library/caddy:2.11.4-alpine.
func (r *Registry) Add(t *testing.T, name string, image Image, layers ...string) {
	t.Helper()
	type descriptor struct {
		MediaType string `json:"mediaType"`
		Size      int    `json:"size"`
		Digest    string `json:"digest"`
	}
	var descriptors []descriptor
	var differences []string
	for _, layer := range layers {
		var out bytes.Buffer
		pack := exec.CommandContext(t.Context(), "tar", "c", "--sort=name", "--mtime=@0", "-C", layer, ".")
		pack.Stdout = &out
		if err := pack.Run(); err != nil {
			t.Fatalf("pack %s: %v", layer, err)
		}
		digest := r.keep(t, out.Bytes())
		differences = append(differences, digest)
		descriptors = append(descriptors, descriptor{layerType, out.Len(), digest})
	}
	config := marshal(t, map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": time.Unix(0, 0).UTC(), "config": image,
		"rootfs": map[string]any{"type": "layers", "diff_ids": differences},
	})
	manifest := marshal(t, map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": descriptor{configType, len(config), r.keep(t, config)}, "layers": descriptors,
	})
	r.manifests[name] = manifest
	repository, _, _ := strings.Cut(name, ":")
	r.manifests[repository+":"+digestOf(manifest)] = manifest
}

// keep writes a blob to disk, where no number of images takes the memory of the test.
func (r *Registry) keep(t *testing.T, content []byte) string {
	t.Helper()
	digest := digestOf(content)
	r.blobs[digest] = filepath.Join(r.folder, strings.TrimPrefix(digest, "sha256:"))
	if err := os.WriteFile(r.blobs[digest], content, 0o600); err != nil {
		t.Fatal(err)
	}
	return digest
}

func (r *Registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	path := strings.TrimPrefix(request.URL.Path, "/v2/")
	if name, reference, ok := strings.Cut(path, "/manifests/"); ok {
		if manifest, ok := r.manifests[name+":"+reference]; ok {
			w.Header().Set("Content-Type", manifestType)
			w.Header().Set("Docker-Content-Digest", digestOf(manifest))
			http.ServeContent(w, request, "", time.Time{}, bytes.NewReader(manifest))
			return
		}
		http.Error(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`, http.StatusNotFound)
		return
	}
	if _, digest, ok := strings.Cut(path, "/blobs/"); ok && r.blobs[digest] != "" {
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeFile(w, request, r.blobs[digest])
		return
	}
	if path != "" {
		http.NotFound(w, request)
	}
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
