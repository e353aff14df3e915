package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/redact"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

func newSupport(a *app) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "support NAME",
		Short: "Put everything that helps to find a fault into one file, without secrets",
		Long: `Support writes NAME-support.tar.gz: the record of the deployment and the list of its backups, its events, its boot log, its
configuration, the versions, and what doctor says. Passwords, tokens, keys and the values of the extra environment are
removed. It does hold the number of the account, IDs and addresses: look at it before you send it to anybody.`,
		Example: "  geusemaker support team\n  tar tzf team-support.tar.gz",
		Args:    oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			return a.support(ctx, args[0], file)
		},
		ValidArgsFunction: a.completeNames,
	}
	cmd.Flags().StringVar(&file, "file", "", "write to this `file` (default NAME-support.tar.gz)")
	return cmd
}

// supportDoc is what `support` prints.
type supportDoc struct {
	File  string   `json:"file"`
	Bytes int64    `json:"bytes"`
	Holds []string `json:"holds"`
}

// part is one file of the archive.
type part struct {
	name string
	text []byte
}

func (a *app) support(ctx context.Context, name, file string) error {
	if !stack.ValidName(name) {
		return usage("%q cannot be the name of a deployment", name)
	}
	home, err := a.home()
	if err != nil {
		return err
	}
	s, err := home.Load(name)
	if errors.Is(err, store.ErrNotExist) {
		return err
	}
	a.global.sandbox = a.global.sandbox || s.Sandbox
	parts, err := a.supportParts(ctx, home, name, s, err)
	if err != nil {
		return err
	}
	if file == "" {
		file = name + "-support.tar.gz"
	}
	raw, err := packed(name+"-support", parts, time.Now())
	if err != nil {
		return err
	}
	if err := writeNew(file, raw); err != nil {
		return err
	}
	doc := supportDoc{File: file, Bytes: int64(len(raw))}
	for _, p := range parts {
		doc.Holds = append(doc.Holds, p.name)
	}
	return a.print(doc, func() string {
		return fmt.Sprintf("wrote %s\nsecrets are removed; account, IDs and addresses are not: look at it before you send it to anybody\n", file)
	})
}

// supportParts collects the files. A record that cannot be read is sent as it lies there; loadErr says why.
func (a *app) supportParts(ctx context.Context, home store.Home, name string, s stack.State, loadErr error) ([]part, error) {
	r := redact.New(s)
	var parts []part
	add := func(name string, v any) error {
		text, err := json.Marshal(v)
		if err == nil {
			parts = append(parts, part{name, r.JSON(text)})
		}
		return err
	}
	problem := ""
	if loadErr != nil {
		problem = loadErr.Error()
	}
	if err := add("versions.json", versions(name, s, problem)); err != nil {
		return nil, err
	}
	if err := add("doctor.json", a.examine(ctx)); err != nil {
		return nil, err
	}
	if loadErr == nil {
		if err := add("config.json", configOf(s.Config)); err != nil {
			return nil, err
		}
	}
	backups, err := home.Backups(name)
	if err != nil {
		return nil, err
	}
	listed := []map[string]any{}
	for _, b := range backups {
		listed = append(listed, map[string]any{"file": path.Base(b.Path), "serial": b.Serial, "at": b.At})
	}
	if err := add("backups.json", listed); err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name string
		safe func([]byte) []byte
	}{
		{"state.json", r.JSON},
		{"events.jsonl", r.Lines},
		{"events.old.jsonl", r.Lines},
		{"boot.log", func(raw []byte) []byte { return []byte(r.Text(string(raw))) }},
	} {
		raw, err := home.File(name, f.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{f.name, f.safe(raw)})
	}
	return parts, nil
}

func versions(name string, s stack.State, problem string) map[string]any {
	v := map[string]any{
		"name": name, "geusemaker": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		"state_version": s.Version, "state_serial": s.Serial, "saved_by": s.Tool, "problem": problem,
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" || setting.Key == "vcs.modified" {
				v[setting.Key] = setting.Value
			}
		}
	}
	return v
}

// configOf is a configuration with the source of each value.
func configOf(c stack.Config) map[string]any {
	all := map[string]any{}
	for _, f := range stack.Fields() {
		all[f.Key] = keyDoc{f.Key, c.Value(f.Key), c.SourceOf(f.Key)}
	}
	return all
}

// packed puts the files into a compressed archive, under one folder.
func packed(folder string, parts []part, now time.Time) ([]byte, error) {
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	for _, p := range parts {
		header := &tar.Header{Name: path.Join(folder, p.name), Mode: 0o600, Size: int64(len(p.text)), ModTime: now, Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(p.text); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// writeNew writes a file that only its owner can read, and never over another.
func writeNew(file string, raw []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &usageError{err: fmt.Errorf("%s exists already, and is left as it is", file), hints: []string{"remove it, or name another with --file"}}
	}
	if err != nil {
		return fmt.Errorf("cannot write the archive: %w", err)
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("cannot write the archive: %w", err), os.Remove(file))
	}
	return nil
}
