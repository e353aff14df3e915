package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
	"geusemaker/internal/term"
)

// deployed is a home with deployments in the pretend account.
func deployed(t *testing.T, names ...string) string {
	t.Helper()
	home := t.TempDir()
	for _, name := range names {
		expect(t, run(t, home, "deploy", name, "--sandbox", "--yes"), 0)
	}
	return home
}

// outside opens the pretend account of a home as somebody does who knows nothing of geusemaker.
func outside(t *testing.T, home, region string) *cloud.Account {
	t.Helper()
	pretend, err := sandbox.Open(sandbox.Options{Path: filepath.Join(home, "sandbox.json"), Speed: 2000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pretend.Close() })
	account, err := cloud.Open(t.Context(), cloud.Options{Region: region, Sandbox: pretend})
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// recordAs changes what is recorded of the machine, as if AWS had changed since.
func recordAs(t *testing.T, home, name string, attrs map[string]string) {
	t.Helper()
	lease, err := store.Open(home).Lock(t.Context(), name, store.Intent{Operation: "test", At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := lease.State()
	if err != nil {
		t.Fatal(err)
	}
	m, _ := s.Machine()
	s = news{machine: engine.Found{ID: m.ID, Attrs: attrs}}.of(s)
	s.Serial++
	if err := lease.Save(s); err != nil {
		t.Fatal(err)
	}
	if err := lease.Release(); err != nil {
		t.Fatal(err)
	}
}

// as reads a document that a command printed.
func as[T any](t *testing.T, got shown) T {
	t.Helper()
	var doc T
	if err := json.Unmarshal([]byte(got.out), &doc); err != nil {
		t.Fatalf("%v\n%s%s", err, got.out, got.err)
	}
	return doc
}

func listed(t *testing.T, home string, args ...string) []listDoc {
	t.Helper()
	return as[[]listDoc](t, run(t, home, append([]string{"list", "--sort", "name", "-o", "json"}, args...)...))
}

func TestListRefreshRecordsWhatChanged(t *testing.T) {
	home := deployed(t, "demo")
	before := listed(t, home)[0]
	recordAs(t, home, "demo", map[string]string{stack.AttrState: "stopped"})
	if got := listed(t, home)[0]; got.Status != stack.PhaseStopped || len(got.Changed) > 0 {
		t.Fatalf("without --refresh: %+v", got)
	}
	want := []string{"state stopped → running", "public_ip none → " + before.PublicIP}
	after := listed(t, home, "--refresh")[0]
	if diff := cmp.Diff(want, after.Changed); diff != "" || after.Status != stack.PhaseRunning {
		t.Errorf("status %s\n%s", after.Status, diff)
	}
	after = listed(t, home, "--refresh")[0]
	if len(after.Changed) > 0 || after.PublicIP != before.PublicIP || after.N8NURL != before.N8NURL {
		t.Errorf("the second time: %+v", after)
	}
	shown := run(t, home, "inspect", "demo")
	expect(t, shown, 0)
	if !strings.Contains(shown.out, "running") {
		t.Errorf("not saved:\n%s", shown.out)
	}
}

func TestListRefreshFindsAMachineThatIsGone(t *testing.T) {
	home := deployed(t, "demo")
	s, err := store.Open(home).Load("demo")
	if err != nil {
		t.Fatal(err)
	}
	m, _ := s.Machine()
	account := outside(t, home, s.Region)
	if err := account.Drivers()[stack.KindInstance].Delete(t.Context(), engine.Target{Stack: s.Identity, Key: m.Key, Record: m, Tell: func(string) {}}); err != nil {
		t.Fatal(err)
	}
	got := listed(t, home, "--refresh")[0]
	if want := "the machine " + m.ID + " is gone"; len(got.Changed) != 1 || got.Changed[0] != want || got.Status != stack.PhaseFailed || got.PublicIP != "" {
		t.Errorf("%+v", got)
	}
	if shown := run(t, home, "list", "--refresh"); strings.Contains(shown.out, "is gone") {
		t.Errorf("said twice:\n%s", shown.out)
	}
	expect(t, run(t, home, "deploy", "demo", "--yes"), 0) // and a deploy makes it anew
	if got := listed(t, home, "--refresh")[0]; got.Status != stack.PhaseRunning || len(got.Changed) > 0 {
		t.Errorf("after another deploy: %+v", got)
	}
}

// However many deployments there are, a region is asked once.
func TestListRefreshOfAHundredOverThreeRegions(t *testing.T) {
	home := deployed(t, "a0")
	regions := []string{"us-east-1", "eu-central-1", "us-west-2"}
	expect(t, run(t, home, "deploy", "a1", "--region", regions[1], "--sandbox", "--yes"), 0)
	expect(t, run(t, home, "deploy", "a2", "--region", regions[2], "--sandbox", "--yes"), 0)
	records := store.Open(home)
	for i := 3; i < 100; i++ {
		s, err := records.Load(fmt.Sprintf("a%d", i%3))
		if err != nil {
			t.Fatal(err)
		}
		s.Name, s.Serial = fmt.Sprintf("a%d", i), 1
		lease, err := records.Lock(t.Context(), s.Name, store.Intent{Operation: "test", At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(lease.Save(s), lease.Release()); err != nil {
			t.Fatal(err)
		}
	}
	log := filepath.Join(t.TempDir(), "log.jsonl")
	got := listed(t, home, "--refresh", "--log-file", log)
	text, err := os.ReadFile(log)
	if calls := strings.Count(string(text), `"operation":`); err != nil || calls != len(regions) || len(got) != 100 {
		t.Errorf("%d calls for %d deployments in %d regions: %v\n%s", calls, len(got), len(regions), err, text)
	}
	for _, d := range got {
		if len(d.Changed) > 0 || d.Status != stack.PhaseRunning {
			t.Errorf("%s: %s, %q", d.Name, d.Status, d.Changed)
		}
	}
}

// A machine that is not found is gone only if it would be found: with the credentials of its account.
func TestListRefreshLeavesWhatLiesInAnotherAccount(t *testing.T) {
	home := deployed(t, "demo")
	lease, err := store.Open(home).Lock(t.Context(), "demo", store.Intent{Operation: "test", At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := lease.State()
	if err != nil {
		t.Fatal(err)
	}
	m, _ := s.Machine()
	m.ID, s.Account = "i-0000000000000000f", "444455556666"
	s.Records[m.Key] = m
	s.Serial++
	if err := errors.Join(lease.Save(s), lease.Release()); err != nil {
		t.Fatal(err)
	}
	got := listed(t, home, "--refresh")[0]
	want := []string{"not asked: it lies in account 444455556666, and these credentials are of 111122223333"}
	if !slices.Equal(got.Changed, want) || got.Status != stack.PhaseRunning {
		t.Errorf("%+v", got)
	}
}

func TestListRefreshAsksOnceARegion(t *testing.T) {
	home := deployed(t, "one", "two")
	expect(t, run(t, home, "deploy", "three", "--region", "eu-central-1", "--sandbox", "--yes"), 0)
	log := filepath.Join(t.TempDir(), "log.jsonl")
	expect(t, run(t, home, "list", "--refresh", "--log-file", log), 0)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if calls, all := strings.Count(string(text), `"operation":"DescribeInstances"`), strings.Count(string(text), `"operation":`); calls != 2 || all != 2 {
		t.Errorf("%d calls, %d of them for the machines: three in two regions\n%s", all, calls, text)
	}
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	expect(t, run(t, home, "list", "--log-file", log), 0)
	if text, err := os.ReadFile(log); err != nil || len(text) > 0 {
		t.Errorf("without --refresh: %v\n%s", err, text)
	}
}

func TestListRefreshShowsWhatIsRecordedWhereItCannotAsk(t *testing.T) {
	home := deployed(t, "demo")
	expect(t, run(t, home, "sandbox", "fault", "EC2", "DescribeInstances", "--code", "UnauthorizedOperation"), 0)
	got := run(t, home, "list", "--refresh", "-o", "json")
	if docs := as[[]listDoc](t, got); got.code != exitPermission || docs[0].Status != stack.PhaseRunning || len(docs[0].Changed) > 0 {
		t.Errorf("%d: %+v", got.code, docs)
	}
	if !strings.Contains(got.err, "what is recorded of 1 deployment in us-east-1 is shown: AWS does not allow") || !strings.Contains(got.err, "ec2:DescribeInstances") {
		t.Error(got.err)
	}
}

func TestRefreshLeavesWhatAnOperationWorksOn(t *testing.T) {
	home := deployed(t, "demo")
	recordAs(t, home, "demo", map[string]string{stack.AttrState: "stopped"})
	lease, err := store.Open(home).Lock(t.Context(), "demo", store.Intent{Operation: "deploy", At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lease.Release() }()
	if got := listed(t, home, "--refresh")[0]; len(got.Changed) > 0 {
		t.Errorf("%+v", got)
	}
	got := as[inspectDoc](t, run(t, home, "inspect", "demo", "--refresh", "-o", "json"))
	if got.Instance.State != "running" {
		t.Errorf("what AWS says is not shown: %+v", got.Instance)
	}
	if s, err := store.Open(home).Load("demo"); err != nil {
		t.Error(err)
	} else if m, _ := s.Machine(); m.Attrs[stack.AttrState] != "stopped" {
		t.Error("saved under another's lock")
	}
}

func TestInspectRefreshFindsDrift(t *testing.T) {
	home := deployed(t, "demo")
	clean := as[inspectDoc](t, run(t, home, "inspect", "demo", "-o", "json"))
	for _, r := range clean.Resources {
		if r.Drift != nil {
			t.Errorf("%s: %q without being asked", r.Key, *r.Drift)
		}
	}
	clean = as[inspectDoc](t, run(t, home, "inspect", "demo", "--refresh", "-o", "json"))
	for _, r := range clean.Resources {
		if r.Drift == nil || *r.Drift != "" {
			t.Errorf("%s of an untouched deployment: %v", r.Key, r.Drift)
		}
	}

	s, err := store.Open(home).Load("demo")
	if err != nil {
		t.Fatal(err)
	}
	drivers := outside(t, home, s.Region).Drivers()
	secret := s.Records["secret/stack"]
	if err := drivers[secret.Kind].Delete(t.Context(), engine.Target{Stack: s.Identity, Key: secret.Key, Record: secret}); err != nil {
		t.Fatal(err)
	}
	extra, err := drivers[stack.KindVPC].Create(t.Context(), engine.Target{
		Stack: s.Identity, Key: "network/other", Spec: stack.VPC{CIDR: "10.99.0.0/16"},
		Tags: map[string]string{stack.TagStack: s.ID, stack.TagName: s.Name, stack.TagKey: "network/other"},
	})
	if err != nil {
		t.Fatal(err)
	}
	recordAs(t, home, "demo", map[string]string{stack.AttrState: "stopped"})

	seen := map[stack.Key]string{}
	got := as[inspectDoc](t, run(t, home, "inspect", "demo", "--refresh", "-o", "json"))
	for _, r := range got.Resources {
		if r.Drift == nil {
			t.Errorf("%s was not asked for", r.Key)
		} else if *r.Drift != "" {
			seen[r.Key] = r.ID + " " + *r.Drift
		}
	}
	m, _ := s.Machine()
	want := map[stack.Key]string{
		"secret/stack":     secret.ID + " " + driftMissing,
		"network/other":    extra.ID + " " + driftExtra,
		"compute/instance": m.ID + " changed: state stopped → running, public_ip none → " + m.Attrs[stack.AttrPublicIP],
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
	if got.Instance.State != "running" || got.Status != stack.PhaseRunning {
		t.Errorf("shown as %s, %s", got.Instance.State, got.Status)
	}
	expect(t, run(t, home, "deploy", "demo", "--yes"), 0) // which makes anew what is missing
	for _, r := range as[inspectDoc](t, run(t, home, "inspect", "demo", "--refresh", "-o", "json")).Resources {
		if r.Key != "network/other" && *r.Drift != "" {
			t.Errorf("after another deploy: %s %s", r.Key, *r.Drift)
		}
	}
}

// secretsOf are the values that must not be found anywhere but where they were asked for.
func secretsOf(t *testing.T, home, name string) []string {
	t.Helper()
	s, err := store.Open(home).Load(name)
	if err != nil {
		t.Fatal(err)
	}
	values, err := outside(t, home, s.Region).Secrets(t.Context(), s.Records["secret/stack"].ID)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for variable, value := range values {
		if variable != stack.SecretN8NOwnerEmail {
			all = append(all, value)
		}
	}
	if len(all) < 8 {
		t.Fatalf("only %d secrets", len(all))
	}
	return all
}

func TestSecretsAreShownAndKeptNowhere(t *testing.T) {
	home := deployed(t, "demo")
	log := filepath.Join(home, "log.jsonl")
	if got := run(t, home, "inspect", "demo", "--show-secrets"); got.code != exitUsage || got.out != "" || !strings.Contains(got.err, "pass --yes") {
		t.Errorf("without a terminal: %+v", got)
	}
	doc := as[inspectDoc](t, run(t, home, "inspect", "demo", "--show-secrets", "--refresh", "--yes", "-v", "--log-file", log, "-o", "json"))
	table := run(t, home, "inspect", "demo", "--show-secrets", "--yes", "--log-file", log)
	secrets := secretsOf(t, home, "demo")
	for _, one := range doc.Secrets {
		if one.Value == "" || !strings.Contains(table.out, one.Value) {
			t.Errorf("the %s of %s is not shown", one.Name, one.Service)
		}
	}
	if len(doc.Secrets) != len(shownSecrets) {
		t.Errorf("shown are %+v", doc.Secrets)
	}
	if plain := run(t, home, "inspect", "demo", "-o", "json"); strings.Contains(plain.out, `"secrets": [`) {
		t.Errorf("without being asked:\n%s", plain.out)
	}
	err := filepath.WalkDir(home, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "sandbox.json") { // which is the account itself
			return err
		}
		text, err := os.ReadFile(path)
		for _, secret := range secrets {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecretsAreConfirmedOnATerminal(t *testing.T) {
	home := deployed(t, "demo")
	for answer, code := range map[string]int{"y\n": 0, "n\n": exitInterrupted} {
		streams, buffers := term.Test(term.Facts{InTTY: true, OutTTY: true, ErrTTY: true})
		buffers.In.WriteString(answer)
		if got := Run(t.Context(), streams, []string{"inspect", "demo", "--show-secrets"}, environOf(home)); got != code {
			t.Errorf("%q ends with %d:\n%s", answer, got, buffers.Err.String())
		}
		if shown := strings.Contains(buffers.Out.String(), "Gm1-"); shown != (code == 0) || !strings.Contains(buffers.Err.String(), "Show the passwords and tokens of demo") {
			t.Errorf("%q: %s", answer, buffers.Err.String())
		}
	}
}

func TestWatchShowsTheListAgainAndAgain(t *testing.T) {
	home := deployed(t, "demo")
	for _, on := range []struct {
		facts term.Facts
		wants string
	}{{term.Facts{}, "NAME"}, {term.Facts{OutTTY: true}, "\x1b[H"}, {term.Facts{OutTTY: true, Width: 80, Height: 2}, "\x1b[H… 2 more lines"}} {
		streams, buffers := term.Test(on.facts)
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		code := Run(ctx, streams, []string{"list", "--watch", "1s"}, environOf(home))
		cancel()
		if n := strings.Count(buffers.Out.String(), on.wants); code != 0 || n < 2 || n > 3 {
			t.Errorf("ended with %d after %d times:\n%q", code, n, buffers.Out.String())
		}
	}
	for _, args := range [][]string{{"--watch=1ms"}, {"--watch", "soon"}, {"demo"}, {"--watch", "5s", "demo"}} {
		if got := run(t, home, append([]string{"list"}, args...)...); got.code != exitUsage {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

func TestInspectRefreshTellsWhatItCannotCompare(t *testing.T) {
	home := deployed(t, "demo")
	expect(t, run(t, home, "sandbox", "fault", "EFS", "DescribeBackupPolicy", "--code", "AccessDeniedException"), 0)
	got := as[inspectDoc](t, run(t, home, "inspect", "demo", "--refresh", "-o", "json"))
	for _, r := range got.Resources {
		if r.Drift == nil || *r.Drift != "" {
			t.Errorf("%s: %v", r.Key, r.Drift)
		}
	}
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "cannot ask for all of storage/files: ") || !strings.Contains(got.Warnings[0], "elasticfilesystem:DescribeBackupPolicy") {
		t.Errorf("warnings: %q", got.Warnings)
	}
}
