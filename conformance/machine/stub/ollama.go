package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

const (
	models    = "/root/.ollama/models"
	ollamaAPI = "http://127.0.0.1:11434"
)

func ollama(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "ls":
		return ask(http.MethodGet, ollamaAPI+"/api/tags")
	case len(args) == 2 && args[0] == "show":
		return ask(http.MethodGet, ollamaAPI+"/api/show?model="+url.QueryEscape(args[1]))
	}
	if err := os.MkdirAll(models, 0o755); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/version", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, `{"version":"0.34.2"}`) })
	mux.HandleFunc("/api/tags", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, `{"models":[]}`) })
	mux.HandleFunc("/api/show", func(w http.ResponseWriter, r *http.Request) {
		if _, err := os.Stat(modelFile(r.URL.Query().Get("model"))); err != nil {
			answer(w, http.StatusNotFound, `{"error":"no such model"}`)
			return
		}
		answer(w, http.StatusOK, `{}`)
	})
	mux.HandleFunc("/api/pull", pullModel)
	return serve(os.Getenv("OLLAMA_HOST"), gatewayOnly(mux))
}

// gatewayOnly refuses what the gateway must not pass on: a foreign host name, and the token that was meant for itself.
func gatewayOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Forwarded-For") != "" && r.Host != "localhost:11434" || r.Header.Get("Authorization") != "" {
			answer(w, http.StatusForbidden, `{"error":"host or authorization was passed on"}`)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func modelFile(name string) string {
	return filepath.Join(models, strings.NewReplacer("/", "_", ":", "_").Replace(name))
}

// pullModel streams its progress, as Ollama does (docs/api, "Pull a Model").
func pullModel(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Model string `json:"model"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.Model == "" {
		answer(w, http.StatusBadRequest, `{"error":"no model"}`)
		return
	}
	if strings.HasPrefix(in.Model, "missing") {
		answer(w, http.StatusOK, `{"error":"pull model manifest: file does not exist"}`)
		return
	}
	fmt.Fprintln(w, `{"status":"pulling manifest"}`)
	for done := range 5 {
		fmt.Fprintf(w, `{"status":"pulling 0011","digest":"sha256:0011","total":4000,"completed":%d}`+"\n", done*1000)
	}
	if err := os.WriteFile(modelFile(in.Model), []byte("weights"), 0o644); err != nil {
		fmt.Fprintf(w, `{"error":%q}`+"\n", err.Error())
		return
	}
	fmt.Fprintln(w, `{"status":"success"}`)
}

// ask succeeds when the server answers with 200.
func ask(method, address string) error {
	request, err := http.NewRequestWithContext(context.Background(), method, address, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", response.Status)
	}
	return nil
}
