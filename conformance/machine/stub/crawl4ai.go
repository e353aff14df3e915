package main

import "net/http"

func crawl4ai([]string) error {
	env, err := demand("CRAWL4AI_API_TOKEN", "GUNICORN_BIND")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, `{"status":"ok","version":"0.9.4"}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+env["CRAWL4AI_API_TOKEN"] {
			answer(w, http.StatusUnauthorized, `{"detail":"Not authenticated"}`)
			return
		}
		answer(w, http.StatusOK, `{}`)
	})
	return serve(env["GUNICORN_BIND"], mux)
}
