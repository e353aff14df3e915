package main

import (
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const (
	collections = "/qdrant/storage/collections"
	snapshots   = "/qdrant/snapshots"
)

func qdrant([]string) error {
	env, err := demand("QDRANT__SERVICE__API_KEY", "QDRANT__TELEMETRY_DISABLED", "QDRANT__SERVICE__ENABLE_SNAPSHOT_URL_RECOVERY")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(collections, 0o755); err != nil {
		return err
	}
	guarded := http.NewServeMux()
	guarded.HandleFunc("GET /collections", listCollections)
	guarded.HandleFunc("PUT /collections/{name}", createCollection)
	guarded.HandleFunc("POST /collections/{name}/snapshots", createSnapshot)
	guarded.HandleFunc("POST /collections/{name}/snapshots/upload", uploadSnapshot)
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, `{"title":"qdrant - vector search engine","version":"1.19.2"}`)
	})
	for _, open := range []string{"/healthz", "/readyz", "/livez"} {
		mux.HandleFunc(open, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "all shards are ready") })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("api-key")), []byte(env["QDRANT__SERVICE__API_KEY"])) != 1 {
			answer(w, http.StatusUnauthorized, `{"status":"Must provide an API key or an Authorization bearer token"}`)
			return
		}
		guarded.ServeHTTP(w, r)
	})
	return serve("0.0.0.0:6333", mux)
}

func listCollections(w http.ResponseWriter, _ *http.Request) {
	entries, err := os.ReadDir(collections)
	if err != nil {
		answer(w, http.StatusInternalServerError, `{}`)
		return
	}
	var list []string
	for _, e := range entries {
		list = append(list, fmt.Sprintf(`{"name":%q}`, e.Name()))
	}
	answer(w, http.StatusOK, `{"result":{"collections":[`+strings.Join(list, ",")+`]},"status":"ok","time":0.1}`)
}

// createCollection keeps the request itself as the collection's content.
func createCollection(w http.ResponseWriter, r *http.Request) {
	keep(w, filepath.Join(collections, filepath.Base(r.PathValue("name"))), r.Body)
}

func createSnapshot(w http.ResponseWriter, r *http.Request) {
	name := filepath.Base(r.PathValue("name"))
	content, err := os.ReadFile(filepath.Join(collections, name))
	if err != nil {
		answer(w, http.StatusNotFound, `{}`)
		return
	}
	snapshot := name + "-1-2026-11-23-00-00-00.snapshot"
	folder := filepath.Join(snapshots, name)
	for _, step := range []error{
		os.MkdirAll(folder, 0o755),
		os.WriteFile(filepath.Join(folder, snapshot), content, 0o644),
		os.WriteFile(filepath.Join(folder, snapshot+".checksum"), []byte("0"), 0o644),
	} {
		if step != nil {
			answer(w, http.StatusInternalServerError, `{}`)
			return
		}
	}
	answer(w, http.StatusOK, fmt.Sprintf(`{"result":{"name":%q,"creation_time":"2026-11-23T00:00:00","size":%d},"status":"ok"}`, snapshot, len(content)))
}

func uploadSnapshot(w http.ResponseWriter, r *http.Request) {
	file, _, err := r.FormFile("snapshot")
	if err != nil {
		answer(w, http.StatusBadRequest, `{"status":"no snapshot"}`)
		return
	}
	defer file.Close()
	keep(w, filepath.Join(collections, filepath.Base(r.PathValue("name"))), file)
}

func keep(w http.ResponseWriter, path string, content io.Reader) {
	data, err := io.ReadAll(content)
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		answer(w, http.StatusInternalServerError, `{}`)
		return
	}
	answer(w, http.StatusOK, `{"result":true,"status":"ok"}`)
}
