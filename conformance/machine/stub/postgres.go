package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	programs    = "/usr/lib/postgresql/17/bin/"
	postgresUID = 999
)

// postgres is the entry point of a real server: like that of the official image it makes the database at the first start,
// on its socket only, and goes on as an ordinary user.
func postgres([]string) error {
	env, err := demand("POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "PGDATA")
	if err != nil {
		return err
	}
	if err := becomePostgres(env["PGDATA"]); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(env["PGDATA"], "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		if err := initialize(env); err != nil {
			return err
		}
	}
	return syscall.Exec(programs+"postgres", []string{"postgres", "-c", "listen_addresses=*"}, os.Environ())
}

func becomePostgres(data string) error {
	for _, folder := range []string{data, "/var/run/postgresql"} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := os.Chown(folder, postgresUID, postgresUID); err != nil {
			return err
		}
	}
	if err := os.Chmod("/var/run/postgresql", 0o777); err != nil {
		return err
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setgid(postgresUID); err != nil {
		return err
	}
	return syscall.Setuid(postgresUID)
}

func initialize(env map[string]string) error {
	password := filepath.Join(os.TempDir(), "password")
	if err := os.WriteFile(password, []byte(env["POSTGRES_PASSWORD"]), 0o600); err != nil {
		return err
	}
	defer func() { _ = os.Remove(password) }() // it ends with the container
	for _, command := range []string{
		"initdb --username=" + env["POSTGRES_USER"] + " --pwfile=" + password + " --auth-local=trust --auth-host=trust --encoding=UTF8 --locale=C.UTF-8",
		"pg_ctl -w -o -clisten_addresses= start",
		"createdb -U " + env["POSTGRES_USER"] + " " + env["POSTGRES_DB"],
		"pg_ctl -w -m fast stop",
	} {
		words := strings.Fields(command)
		run := exec.CommandContext(context.Background(), programs+words[0], words[1:]...)
		run.Stdout, run.Stderr = os.Stdout, os.Stderr
		if err := run.Run(); err != nil {
			return err
		}
	}
	access, err := os.OpenFile(filepath.Join(env["PGDATA"], "pg_hba.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer access.Close()
	_, err = access.WriteString("host all all all scram-sha-256\n")
	return err
}
