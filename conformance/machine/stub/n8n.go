package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// settings is where n8n keeps the encryption key that it began with.
const settings = "/home/node/.n8n/config"

var bcryptHash = regexp.MustCompile(`^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$`)

func n8n(args []string) error {
	if len(args) > 0 && strings.HasPrefix(args[0], "export:") {
		output, ok := strings.CutPrefix(args[len(args)-1], "--output=")
		if !ok {
			return errors.New("export needs --output")
		}
		return os.WriteFile(output, []byte(`[{"name":"`+args[0]+`"}]`), 0o600)
	}
	env, err := demand("DB_POSTGRESDB_HOST", "DB_POSTGRESDB_DATABASE", "DB_POSTGRESDB_USER", "DB_POSTGRESDB_PASSWORD",
		"N8N_ENCRYPTION_KEY", "N8N_USER_MANAGEMENT_JWT_SECRET", "N8N_INSTANCE_OWNER_EMAIL", "N8N_INSTANCE_OWNER_PASSWORD_HASH",
		"N8N_EDITOR_BASE_URL", "N8N_WEBHOOK_URL", "N8N_LISTEN_ADDRESS")
	if err != nil {
		return err
	}
	if os.Getenv("DB_TYPE") != "postgresdb" || os.Getenv("N8N_INSTANCE_OWNER_MANAGED_BY_ENV") != "true" || os.Getenv("N8N_PROXY_HOPS") != "1" {
		return errors.New("DB_TYPE, N8N_INSTANCE_OWNER_MANAGED_BY_ENV or N8N_PROXY_HOPS is wrong")
	}
	if !bcryptHash.MatchString(env["N8N_INSTANCE_OWNER_PASSWORD_HASH"]) {
		return errors.New("N8N_INSTANCE_OWNER_PASSWORD_HASH is no bcrypt hash")
	}
	if err := keepKey(env["N8N_ENCRYPTION_KEY"]); err != nil {
		return err
	}
	database := url.URL{
		Scheme: "postgres", User: url.UserPassword(env["DB_POSTGRESDB_USER"], env["DB_POSTGRESDB_PASSWORD"]),
		Host: env["DB_POSTGRESDB_HOST"], Path: env["DB_POSTGRESDB_DATABASE"],
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz/readiness", func(w http.ResponseWriter, r *http.Request) {
		if err := ping(r.Context(), database.String()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			answer(w, http.StatusServiceUnavailable, `{"status":"error"}`)
			return
		}
		answer(w, http.StatusOK, `{"status":"ok"}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		text, err := json.Marshal(map[string]string{
			"proto": r.Header.Get("X-Forwarded-Proto"), "host": r.Header.Get("X-Forwarded-Host"), "url": env["N8N_EDITOR_BASE_URL"],
		})
		if err != nil {
			answer(w, http.StatusInternalServerError, `{}`)
			return
		}
		answer(w, http.StatusOK, string(text))
	})
	return serve(env["N8N_LISTEN_ADDRESS"]+":5678", mux)
}

// keepKey refuses a key that is not the one of the first start, as n8n does.
func keepKey(key string) error {
	kept, err := os.ReadFile(settings)
	if errors.Is(err, os.ErrNotExist) {
		return os.WriteFile(settings, []byte(key), 0o600)
	}
	if err != nil {
		return err
	}
	if string(kept) != key {
		return errors.New("the encryption key is not the one in the settings file")
	}
	return nil
}

func ping(ctx context.Context, database string) error {
	connection, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close(ctx) }() // the ping counts
	return connection.Ping(ctx)
}
