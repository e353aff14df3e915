package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

// unpacked reads an archive: file -> content.
func unpacked(t *testing.T, path string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for archive := tar.NewReader(zipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = string(text)
	}
}

func TestSupportHoldsWhatHelpsAndNoSecret(t *testing.T) {
	home := t.TempDir()
	planted := map[string]string{ // where it is planted -> what must not be found
		"password in the environment":  "hunter2-in-the-environment",
		"odd name in the environment":  "value-of-an-odd-name",
		"random tag":                   "q7Zk2LxP9vRt4WsY8mNb3CdE",
		"tag by name":                  "tag-secret-1",
		"token in an event":            "BHL7EFQRWBZFOOCPEVKDMA5JQG",
		"password in an event":         "Gm1-4RC5RBK46NDKUS7DIHUNI5D75T",
		"bearer in the boot log":       "planted.bearer.value",
		"assignment in the boot log":   "short-pw",
		"access key in the boot log":   "AKIAIOSFODNN7EXAMPLE",
		"secret key in the boot log":   "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"address in the boot log":      "user:pa55word",
		"private key in the boot log":  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
		"hexadecimal key in the log":   "9f86d081884c7d659a2feaa0c55ad015",
		"json in the boot log":         "json-planted-value",
		"in an older file of events":   "OlderEventSecret99x8y7z6w5v4",
		"environment value in the log": "value-of-an-odd-name",
	}
	expect(t, run(t, home, "deploy", "demo", "--sandbox", "--yes",
		"--env", "n8n.N8N_SMTP_PASS="+planted["password in the environment"], "--env", "n8n.N8N_ODD="+planted["odd name in the environment"],
		"--tags", "note="+planted["random tag"], "--tags", "api-key="+planted["tag by name"], "--tags", "team=growth"), 0)
	for file, text := range map[string]string{
		"events.jsonl":     `{"time":"2026-11-23T14:25:30Z","msg":"event","text":"said ` + planted["token in an event"] + `","password":"` + planted["password in an event"] + `"}` + "\nno json: token=" + planted["token in an event"] + "\n",
		"events.old.jsonl": `{"msg":"event","text":"` + planted["in an older file of events"] + `"}` + "\n",
		"boot.log": "curl -H 'Authorization: Bearer " + planted["bearer in the boot log"] + "'\nPOSTGRES_PASSWORD=" + planted["assignment in the boot log"] +
			"\naws_access_key_id = " + planted["access key in the boot log"] + " and " + planted["secret key in the boot log"] +
			"\nhttps://" + planted["address in the boot log"] + "@example.com/x\n-----BEGIN PRIVATE KEY-----\n" + planted["private key in the boot log"] + "\n-----END PRIVATE KEY-----\n" +
			"opened with " + planted["hexadecimal key in the log"] + "\n{\"apiKey\": \"" + planted["json in the boot log"] + "\"}\n" + planted["environment value in the log"] + "\nmounted /mnt/efs\n",
	} {
		f, err := os.OpenFile(filepath.Join(home, "deployments", "demo", file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(t.TempDir())
	got := run(t, home, "support", "demo", "-o", "json")
	expect(t, got, 0)
	info, err := os.Stat("demo-support.tar.gz")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	files := unpacked(t, "demo-support.tar.gz")
	wanted := []string{"backups.json", "boot.log", "config.json", "doctor.json", "events.jsonl", "events.old.jsonl", "state.json", "versions.json"}
	var names []string
	for name := range files {
		names = append(names, strings.TrimPrefix(name, "demo-support/"))
	}
	slices.Sort(names)
	if diff := cmp.Diff(wanted, names); diff != "" {
		t.Error(diff)
	}
	for name, text := range files {
		for where, secret := range planted {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds the %s:\n%s", name, where, text)
			}
		}
		for _, secret := range secretsOf(t, home, "demo") {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds a generated secret", name)
			}
		}
	}
	// What helps is still there.
	s, err := store.Open(home).Load("demo")
	if err != nil {
		t.Fatal(err)
	}
	m, _ := s.Machine()
	for name, texts := range map[string][]string{
		"state.json":    {m.ID, s.ID, s.Facts.Image.Name, s.Facts.Image.ID, "N8N_SMTP_PASS", `"growth"`, s.Records["secret/stack"].ID, s.Records["identity/role"].Attrs[stack.AttrARN]},
		"events.jsonl":  {`"type":"ready"`, "network/vpc", m.ID},
		"boot.log":      {"mounted /mnt/efs", "Authorization", "example.com"},
		"config.json":   {`"spot-first"`, "N8N_ODD"},
		"doctor.json":   {`"home"`},
		"versions.json": {version, "go1."},
		"backups.json":  {`"serial"`},
	} {
		for _, text := range texts {
			if !strings.Contains(files["demo-support/"+name], text) {
				t.Errorf("%s lacks %q:\n%s", name, text, files["demo-support/"+name])
			}
		}
	}
	expect(t, run(t, home, "support", "demo"), exitUsage, "exists already, and is left as it is")
	expect(t, run(t, home, "support", "nobody"), exitNotFound)
	expect(t, run(t, home, "support", "../demo"), exitUsage)
}

func TestSupportOfADamagedRecord(t *testing.T) {
	home := deployed(t, "demo")
	if err := os.WriteFile(filepath.Join(home, "deployments", "demo", "state.json"), []byte(`{"name": "demo", "token": "planted-token-1", `), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x.tar.gz")
	expect(t, run(t, home, "support", "demo", "--sandbox", "--file", file), 0)
	files := unpacked(t, file)
	if text := files["demo-support/state.json"]; !strings.Contains(text, `"name": "demo"`) || strings.Contains(text, "planted") {
		t.Errorf("state.json: %s", text)
	}
	if !strings.Contains(files["demo-support/versions.json"], "the record of demo is damaged") {
		t.Error(files["demo-support/versions.json"])
	}
}
