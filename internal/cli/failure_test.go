package cli

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/api/apitest"
	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
	"geusemaker/internal/term"
)

var update = flag.Bool("update", false, "write what is compared with as it is now")

// TestErrorsAsUsersSeeThem lists every kind of error with its exit code, words and next steps, on paper to be read as a
// whole: those of AWS as they come through the SDK from the pretend account, the others as the code makes them.
func TestErrorsAsUsersSeeThem(t *testing.T) {
	var b strings.Builder
	for _, c := range awsRefusals {
		home := t.TempDir()
		if got := run(t, home, append([]string{"sandbox", "fault"}, c.fault...)...); got.code != 0 {
			t.Fatalf("%v: %s", c.fault, got.err)
		}
		shown := run(t, home, "plan", "demo", "--sandbox")
		kind := kindOf(t, run(t, home, "plan", "demo", "--sandbox", "-o", "json"))
		fmt.Fprintf(&b, "## AWS: %s\nexit %d, kind %s\n%s\n", c.name, shown.code, kind, shown.err)
	}
	for _, c := range settings {
		t.Run(c.name, func(t *testing.T) {
			shown := withSettings(t, c.config, c.environment, "plan", "demo", "--region", "us-east-1")
			kind := kindOf(t, withSettings(t, c.config, c.environment, "plan", "demo", "--region", "us-east-1", "-o", "json"))
			fmt.Fprintf(&b, "## AWS: %s\nexit %d, kind %s\n%s\n", c.name, shown.code, kind, shown.err)
		})
	}
	for _, c := range append(ownErrors(), hostErrors(t)...) {
		streams, buffers := term.Test(term.Facts{})
		a := &app{streams: streams}
		f := explain(t.Context(), c.err)
		a.fail(f)
		fmt.Fprintf(&b, "## %s\nexit %d, kind %s\n%s\n", c.name, f.Code, f.Kind, buffers.Err.String())
	}
	golden(t, "errors.golden", b.String())
}

// kindOf is the kind of the error that a command wrote as JSON.
func kindOf(t *testing.T, got shown) string {
	t.Helper()
	var doc errorDoc
	if err := json.Unmarshal([]byte(got.err), &doc); err != nil {
		t.Fatalf("%v: %s", err, got.err)
	}
	return doc.Error.Kind
}

// TestEveryErrorHasANextStep looks in the list of errors for those that leave their user alone. A step stands on a line of its
// own, or in the message, after what is wrong.
func TestEveryErrorHasANextStep(t *testing.T) {
	listed, err := os.ReadFile(filepath.Join("testdata", "errors.golden"))
	if err != nil {
		t.Fatal(err)
	}
	inMessage := regexp.MustCompile(`(?:; |: )(?:use|pass|wait for|make room|nothing was overwritten: look) |; .geusemaker recover`)
	entries := strings.Split(strings.TrimPrefix(string(listed), "## "), "\n## ")
	if len(entries) < 40 {
		t.Errorf("found only %d", len(entries))
	}
	for _, entry := range entries {
		name, text, _ := strings.Cut(entry, "\n")
		if name == "an answer that means no" {
			continue // that is what they wanted
		}
		if !strings.Contains(text, "\n  → ") && !inMessage.MatchString(text) {
			t.Errorf("%s: no next step\n%s", name, text)
		}
	}
}

// TestEveryKindOfErrorIsListed finds the kinds in the code and expects each among the errors that are listed.
func TestEveryKindOfErrorIsListed(t *testing.T) {
	listed, err := os.ReadFile(filepath.Join("testdata", "errors.golden"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{
		string(api.KindCredentials), string(api.KindPermission), string(api.KindAccount), string(api.KindCapacity), string(api.KindQuota),
		string(api.KindNotFound), string(api.KindConflict), string(api.KindThrottled), string(api.KindNetwork), string(api.KindInvalid),
		kindOther, kindDisk,
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	given := regexp.MustCompile(`(?:\bkind: |\bKind = |\b[kK]ind = [^"\n=]*)"([a-z-]+)"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range given.FindAllStringSubmatch(string(text), -1) {
			if !strings.HasSuffix(file, "_test.go") {
				kinds = append(kinds, m[1])
			}
		}
	}
	if len(kinds) < 25 {
		t.Errorf("found only %q", kinds)
	}
	for _, kind := range kinds {
		if !strings.Contains(string(listed), ", kind "+kind+"\n") {
			t.Errorf("an error of kind %q is not listed in errors.golden", kind)
		}
	}
}

// awsRefusals are errors of the first call that `plan` makes, one for each kind of answer.
var awsRefusals = []struct {
	name  string
	fault []string
}{
	{"expired credentials", []string{"STS", "GetCallerIdentity", "--code", "ExpiredToken"}},
	{"unknown access key", []string{"STS", "GetCallerIdentity", "--code", "InvalidClientTokenId"}},
	{"wrong secret key", []string{"STS", "GetCallerIdentity", "--code", "SignatureDoesNotMatch"}},
	{"wrong clock", []string{"STS", "GetCallerIdentity", "--code", "RequestTimeTooSkewed"}},
	{"a missing permission", []string{"EC2", "DescribeImages", "--code", "UnauthorizedOperation"}},
	{"a missing permission, with details in code", []string{"EC2", "DescribeImages", "--code", "UnauthorizedOperation", "--message", encodedRefusal(false)}},
	{"a forbidden action, with details in code", []string{"EC2", "DescribeImages", "--code", "UnauthorizedOperation", "--message", encodedRefusal(true)}},
	{"details that may not be decoded", []string{"EC2", "DescribeImages", "--code", "UnauthorizedOperation", "--message", "You are not authorized to perform this operation. Encoded authorization failure message: %code%"}},
	{"a blocked account", []string{"STS", "GetCallerIdentity", "--code", "Blocked", "--message", "This account is currently blocked."}},
	{"a region that is not enabled", []string{"EC2", "DescribeAvailabilityZones", "--code", "OptInRequired", "--message", "You are not subscribed to this service."}},
	{"throttling", []string{"EC2", "DescribeAvailabilityZones", "--code", "RequestLimitExceeded", "--message", "Request limit exceeded."}},
	{"a fault of AWS", []string{"EC2", "DescribeAvailabilityZones", "--code", "InternalError", "--message", "An internal error has occurred"}},
	{"a request that AWS does not accept", []string{"EC2", "DescribeAvailabilityZones", "--code", "InvalidParameterValue", "--message", "Invalid value."}},
	{"a lost connection", []string{"STS", "GetCallerIdentity", "--effect", "lose-request"}},
}

// encodedRefusal is a refusal of EC2 with details that AWS decodes (STS API reference, DecodeAuthorizationMessage).
func encodedRefusal(forbidden bool) string {
	details := fmt.Sprintf(`{"allowed":false,"explicitDeny":%t,"context":{"principal":{"arn":"arn:aws:iam::111122223333:user/sandbox"},"action":"ec2:DescribeImages","resource":"arn:aws:ec2:us-east-1::image/*"}}`, forbidden)
	return "You are not authorized to perform this operation. Encoded authorization failure message: " + base64.StdEncoding.EncodeToString([]byte(details))
}

// settings are AWS settings with which no call can be made.
var settings = []struct {
	name        string
	config      string // ~/.aws/config
	environment map[string]string
}{
	{"no credentials", "", nil},
	{"an unknown profile", "[profile work]\nregion = us-east-1\n", map[string]string{"AWS_PROFILE": "play"}},
	{"an expired login", "[profile work]\nregion = us-east-1\nsso_session = firm\nsso_account_id = 111122223333\nsso_role_name = dev\n[sso-session firm]\nsso_start_url = https://firm.example/start\nsso_region = us-east-1\n", map[string]string{"AWS_PROFILE": "work"}},
	{"a credential process that fails", "[profile work]\nregion = us-east-1\ncredential_process = false\n", map[string]string{"AWS_PROFILE": "work"}},
	{"a role that asks for a code", "[profile work]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/dev\nsource_profile = base\nmfa_serial = arn:aws:iam::111122223333:mfa/ann\n[profile base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = example\n", map[string]string{"AWS_PROFILE": "work"}},
	{"a role without a source", "[profile work]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/dev\nsource_profile = nobody\n", map[string]string{"AWS_PROFILE": "work"}},
}

// withSettings runs a command against AWS, of which there is none here, with the given settings only.
func withSettings(t *testing.T, config string, environment map[string]string, args ...string) shown {
	t.Helper()
	home := t.TempDir()
	path := filepath.Join(home, "config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("AWS_CONFIG_FILE", path)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, value := range environment {
		t.Setenv(name, value)
	}
	return run(t, home, args...)
}

type ownError struct {
	name string
	err  error
}

func ownErrors() []ownError {
	refused := func(code, message string) error {
		return apitest.Refused("EC2", "DescribeInstances", code, message)
	}
	holder := store.Holder{User: "ann", Host: "laptop", PID: 4711, Operation: "deploy", Since: time.Date(2026, 11, 23, 14, 25, 30, 0, time.UTC)}
	resource := func(key stack.Key, err error) error { return &engine.ResourceError{Key: key, Err: err} }
	full := fmt.Errorf("cannot save the state of demo: %w", fmt.Errorf("cannot save %s: %w; make room on that disk, then repeat the command: what was saved before is intact", "/home/ann/.geusemaker/deployments/demo/state.json", syscall.ENOSPC))
	return []ownError{
		{"a command line that makes no sense", usage("--sort: %q is not known; use %s", "colour", strings.Join(listSorts, ", "))},
		{"values that cannot be", errors.Join(
			&stack.FieldError{Key: "region", Problem: `"mars" is not the name of an AWS region`, Source: stack.Source{Kind: "flag", From: "--region"}},
			&stack.FieldError{Key: "market", Problem: `"sometimes" is not known`, Source: stack.Source{Kind: "environment", From: "GEUSEMAKER_MARKET"}, Fix: "use spot"},
		)},
		{"nobody to ask", fmt.Errorf("cannot ask: %w", term.ErrNotTerminal)},
		{"an answer that means no", term.ErrCancelled},
		{"no such deployment", fmt.Errorf("%w %q", store.ErrNotExist, "demo")},
		{"another operation runs", &store.LockedError{Name: "demo", Holder: holder, Running: true}},
		{"a damaged record", &store.DamagedError{Name: "demo", Path: "/home/ann/.geusemaker/deployments/demo/state.json", Err: errors.New("unexpected end of JSON input"), Backups: make([]store.Backup, 2)}},
		{"a record of a newer version", &store.NewerError{Path: "/home/ann/.geusemaker/deployments/demo/state.json", Version: 99, Tool: "9.9.9"}},
		{"a record that changed meanwhile", &store.ChangedError{Path: "/home/ann/.geusemaker/deployments/demo/state.json", Saw: 4, Want: 5, Detail: "something else changed it"}},
		{"a full disk", resource("network/vpc", full)},
		{"a home that cannot be written", fmt.Errorf("cannot make the folder for records: %w", &fs.PathError{Op: "mkdir", Path: "/home/ann/.geusemaker", Err: syscall.EROFS})},
		{"a used-up quota", resource("network/vpc", refused("VpcLimitExceeded", "The maximum number of VPCs has been reached."))},
		{"no capacity", resource("compute/instance", &compute.CapacityError{Tries: []compute.Try{
			{Offer: stack.Offer{Type: "m7i.large", Zone: "us-east-1a", Market: stack.Spot}, Reason: "no spot capacity", Err: refused("InsufficientInstanceCapacity", "")},
			{Offer: stack.Offer{Type: "m7i.large", Zone: "us-east-1a", Market: stack.MarketOnDemand}, Reason: "no on-demand capacity", Err: refused("InsufficientInstanceCapacity", "")},
		}})},
		{"a thing of AWS that is not there", refused("InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist")},
		{"a thing that is still used", resource("network/vpc", refused("DependencyViolation", "The vpc 'vpc-1' has dependencies and cannot be deleted."))},
		{"a region that could not be asked", &unaskedError{place{region: "eu-central-1"}, 3, refused("UnauthorizedOperation", "")}},
		{"another account", &cloud.WrongAccountError{Got: "111122223333", Want: "444455556666"}},
		{"over budget", withinBudget(stack.Config{MaxHourly: 1e7}, stack.Cost{Hourly: 7e7}, false)},
		{"a machine that is stopped", (&intention{state: stack.State{
			Identity: stack.Identity{Name: "demo", Region: "eu-central-1"},
			Records: map[stack.Key]stack.Record{stack.KeyInstance: {
				Kind: stack.KindInstance, ID: "i-0123456789abcdef0", Attrs: map[string]string{stack.AttrState: stack.StateStopped},
			}},
		}}).standstill()},
		{"a boot that failed", &hinted{
			err:   &engine.BootError{Step: "storage", Detail: "mount.nfs4: Connection timed out", Tail: []string{"14:25:30 mounting", "14:30:30 gave up"}},
			hints: []string{"`geusemaker inspect demo` shows more"},
		}},
		{"interrupted", &hinted{err: fmt.Errorf("%w; 3 resources are recorded", engine.ErrInterrupted), code: exitInterrupted, kind: "interrupted", hints: []string{"`geusemaker deploy demo` goes on from here"}}},
		{"out of time", &hinted{err: errOvertime, hints: []string{"give it more time"}}},
		{"several resources that failed", &hinted{
			err: fmt.Errorf("%w; 3 resources are recorded", errors.Join(resource("network/vpc", errors.New("no room")), resource("storage/files", errors.New("no luck")))), code: exitPartial, kind: "partial",
			hints: []string{"`geusemaker deploy demo` goes on from here"},
		}},
		{"anything else", errors.New("something that nobody thought of")},
	}
}

// hostErrors are those of this computer.
func hostErrors(t *testing.T) []ownError {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	_, missing := findPlugin(t.Context())
	plugin := filepath.Join(folder, pluginName)
	if err := os.WriteFile(plugin, []byte("#!/bin/sh\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, broken := findPlugin(t.Context())
	h, ok := errors.AsType[*hinted](broken)
	if !ok {
		t.Fatal(broken)
	}
	h.err = errors.New(strings.ReplaceAll(h.err.Error(), folder, "/usr/bin"))
	return []ownError{
		{"no plugin for connections", missing},
		{"a plugin that does not run", h},
		{"a port that is taken", portTaken(forward{Service: "n8n", LocalPort: 5678}, syscall.EADDRINUSE)},
		{"a computer that is not well", doctorDoc{Checks: []checkDoc{{ID: "clock", Level: levelError}, {ID: "disk", Level: levelError}}}.verdict()},
	}
}

// shown is what a command left on its streams.
type shown struct {
	out, err string
	code     int
}

// run runs one command in this process, with a home of its own and a pretend account that runs fast.
func run(t *testing.T, home string, args ...string) shown {
	t.Helper()
	return runOn(t, term.Facts{}, home, args...)
}

func runOn(t *testing.T, facts term.Facts, home string, args ...string) shown {
	t.Helper()
	streams, buffers := term.Test(facts)
	code := Run(t.Context(), streams, args, environOf(home))
	return shown{buffers.Out.String(), buffers.Err.String(), code}
}

func environOf(home string) []string {
	return []string{"GEUSEMAKER_HOME=" + home, "HOME=" + home, "GEUSEMAKER_SANDBOX_SPEED=2000"}
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what there is now (go test ./internal/cli -run %s -update):\n%s", path, t.Name(), diff)
	}
}
