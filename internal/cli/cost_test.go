package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedRecordIsInNoTotal holds that a record which cannot be read does not turn what the sandbox would cost into a real
// total of nothing.
func TestDamagedRecordIsInNoTotal(t *testing.T) {
	home := t.TempDir()
	expect(t, run(t, home, "deploy", "demo", "--sandbox", "--yes", "--wait", "none"), exitDone)
	folder := filepath.Join(home, "deployments", "bad")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "state.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, home, "cost")
	expect(t, got, exitDone)
	if !strings.Contains(got.out, "total (sandbox)") || strings.Contains(got.out, "$0.0000") || !strings.Contains(got.out, "A record that cannot be read is in no total.") {
		t.Error(got.out)
	}
}

// TestTotalOfCosts lists what total is shown for which deployments.
func TestTotalOfCosts(t *testing.T) {
	billed, pretend, unread := costRow{}, costRow{Sandbox: true}, costRow{unread: true}
	for _, tt := range []struct {
		name     string
		rows     []costRow
		of, says string
	}{
		{"real ones", []costRow{billed}, "total", ""},
		{"both", []costRow{billed, pretend}, "total", "not in the total"},
		{"the sandbox", []costRow{pretend}, "total (sandbox)", "Nothing of this is billed"},
		{"the sandbox and a damaged one", []costRow{pretend, unread}, "total (sandbox)", "in no total"},
		{"real ones and a damaged one", []costRow{billed, unread}, "total", "in no total"},
		{"damaged ones", []costRow{unread}, "", "in no total"},
	} {
		total, note := costsDoc{Deployments: tt.rows}.total()
		if total.of != tt.of || !strings.Contains(note, tt.says) {
			t.Errorf("%s: %q, %q", tt.name, total.of, note)
		}
	}
}
