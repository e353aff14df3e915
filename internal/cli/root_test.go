package cli

import (
	"maps"
	"strings"
	"testing"

	"geusemaker/internal/term"
)

// runWith runs one command with more variables than every test has.
func runWith(t *testing.T, home string, environ []string, args ...string) shown {
	t.Helper()
	streams, buffers := term.Test(term.Facts{})
	code := Run(t.Context(), streams, args, append(environOf(home), environ...))
	return shown{buffers.Out.String(), buffers.Err.String(), code}
}

// TestSwitchesOfTheEnvironment holds that a global variable means what it says, and that a word which is neither yes nor no
// is no yes.
func TestSwitchesOfTheEnvironment(t *testing.T) {
	for _, name := range []string{"YES", "SANDBOX", "QUIET", "VERBOSE", "NO_COLOR", "ACCESSIBLE"} {
		for _, value := range []string{"no", "off", "yes", "foo", "2"} {
			got := runWith(t, t.TempDir(), []string{"GEUSEMAKER_" + name + "=" + value}, "list")
			if got.code != exitUsage || !strings.Contains(got.err, "GEUSEMAKER_"+name+`: "`+value+`" is neither true nor false`) {
				t.Errorf("GEUSEMAKER_%s=%s: exit %d, %s", name, value, got.code, got.err)
			}
		}
		for _, value := range []string{"", "0", "1", "true", "FALSE", "False", "T", " 1 "} {
			if got := runWith(t, t.TempDir(), []string{"GEUSEMAKER_" + name + "=" + value}, "list"); got.code != exitDone {
				t.Errorf("GEUSEMAKER_%s=%s: exit %d, %s", name, value, got.code, got.err)
			}
		}
	}
	// A flag wins, and what it wins over does not matter.
	if got := runWith(t, t.TempDir(), []string{"GEUSEMAKER_QUIET=foo"}, "list", "--quiet"); got.code != exitDone {
		t.Error(got.err)
	}
}

// TestNoIsNoYes holds that a destroy asks although the variable that answers for people is set, to a no.
func TestNoIsNoYes(t *testing.T) {
	home := t.TempDir()
	expect(t, run(t, home, "deploy", "demo", "--sandbox", "--yes", "--wait", "none"), exitDone)
	for _, value := range []string{"no", "FALSE", "0", "false"} {
		if got := runWith(t, home, []string{"GEUSEMAKER_YES=" + value}, "destroy", "demo"); got.code != exitUsage {
			t.Errorf("GEUSEMAKER_YES=%s destroys: exit %d, %s", value, got.code, got.err)
		}
	}
	expect(t, run(t, home, "inspect", "demo"), exitDone)
}

// TestUnknownCommandsAreRefused holds that a word which is no command ends with 2 and names what there is, wherever it stands.
func TestUnknownCommandsAreRefused(t *testing.T) {
	for line, says := range map[string]string{
		"bogus":              "`geusemaker help` lists the commands",
		"sandbox bogus":      "fault",
		"sandbox fualt":      "did you mean `geusemaker sandbox fault`?",
		"config bogus":       "use init, schema, show",
		"iam bogus":          "use policy",
		"discover bogus":     "key-pairs, load-balancers",
		"completion tcsh":    "use bash, fish, powershell, zsh",
		"help bogus":         "`geusemaker help` lists the commands",
		"help sandbox bogus": "`geusemaker help sandbox` lists the commands",
	} {
		got := run(t, t.TempDir(), strings.Fields(line)...)
		if got.code != exitUsage || got.out != "" || !strings.Contains(got.err, "there is no command") || !strings.Contains(got.err, says) {
			t.Errorf("%s: exit %d\n%s%s", line, got.code, got.out, got.err)
		}
	}
	for _, line := range []string{"", "sandbox", "completion", "completion bash", "help", "help sandbox", "help sandbox fault", "help exit-codes", "help ls", "sandbox --help"} {
		if got := run(t, t.TempDir(), strings.Fields(line)...); got.code != exitDone || got.out == "" {
			t.Errorf("%s: exit %d\n%s", line, got.code, got.err)
		}
	}
}

// TestEndpointsThatAreNoURLs holds that a mistyped endpoint is refused at once, and not called again and again.
func TestEndpointsThatAreNoURLs(t *testing.T) {
	keys := map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": "foo", "AWS_ENDPOINT_URL_EC2": "localhost:5000", "AWS_ENDPOINT_URL_STS": "http://"} {
		t.Run(name, func(t *testing.T) {
			environment := maps.Clone(keys)
			environment[name] = value
			expect(t, withSettings(t, "", environment, "plan", "demo", "--region", "us-east-1"), exitUsage, name+": \""+value+"\" is not the URL of an endpoint; use one such as http://")
		})
	}
	t.Run("profile", func(t *testing.T) {
		got := withSettings(t, "[default]\nendpoint_url = foo\n", keys, "plan", "demo", "--region", "us-east-1")
		expect(t, got, exitUsage, "endpoint_url: \"foo\" is not the URL")
	})
}
