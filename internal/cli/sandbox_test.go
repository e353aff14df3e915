package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"geusemaker/internal/cloud/sandbox"
)

// faults are those that are set, as a program sees them.
func faults(t *testing.T, got shown) []sandbox.Fault {
	t.Helper()
	expect(t, got, exitDone)
	var all []sandbox.Fault
	if err := json.Unmarshal([]byte(got.out), &all); err != nil {
		t.Fatalf("%v: %s", err, got.out)
	}
	return all
}

// TestFaultTellsClosedPools holds that pools which were closed are among what is set to fail, until all works again.
func TestFaultTellsClosedPools(t *testing.T) {
	home := t.TempDir()
	if got := run(t, home, "sandbox", "fault", "--no-capacity"); !strings.Contains(got.out, "no-capacity") || strings.Contains(got.out, "nothing is set to fail") {
		t.Error(got.out)
	}
	all := faults(t, run(t, home, "sandbox", "fault", "EC2", "RunInstances", "-o", "json"))
	if len(all) != 2 || all[1].Effect != "no-capacity" || all[1].Message == "" {
		t.Errorf("%+v", all)
	}
	expect(t, run(t, home, "sandbox", "fault", "--clear"), exitDone)
	if got := run(t, home, "sandbox", "fault"); got.out != "nothing is set to fail\n" {
		t.Error(got.out)
	}
}

// TestFaultsThatNeverFire holds that what no call can meet is refused with what there is.
func TestFaultsThatNeverFire(t *testing.T) {
	for line, says := range map[string]string{
		"foo bar":                                    "there is no service \"foo\": use one of EC2, EFS",
		"ec2 RunInstances":                           "did you mean EC2?",
		"EC2 runinstances":                           "did you mean RunInstances?",
		"EC2 Foo":                                    "EC2 has no operation \"Foo\": use one of",
		"EFS Foo*":                                   "CreateFileSystem",
		"EC2 RunInstances --count -1":                "use numbers from 0",
		"EC2 RunInstances --skip -1":                 "use numbers from 0",
		"EC2 RunInstances --delay -5s":               "needs a delay",
		"EC2 RunInstances --effect delay":            "needs a delay",
		"machine lunch --effect boot-fails":          "unknown boot step",
		"EC2 RunInstances --effect error --delay 5s": "--delay goes with --effect delay",
	} {
		home := t.TempDir()
		expect(t, run(t, home, append([]string{"sandbox", "fault"}, strings.Fields(line)...)...), exitUsage, says)
		if all := faults(t, run(t, home, "sandbox", "fault", "-o", "json")); len(all) != 0 {
			t.Errorf("%s: %+v", line, all)
		}
	}
	for _, line := range []string{"* *", "EC2 Run*", "Service?Quotas GetServiceQuota", "machine storage --effect boot-fails", "machine launch --effect vanish"} {
		expect(t, run(t, t.TempDir(), append([]string{"sandbox", "fault"}, strings.Fields(line)...)...), exitDone)
	}
}

// TestDelayIsADelay holds that a delay by itself delays and refuses nothing.
func TestDelayIsADelay(t *testing.T) {
	all := faults(t, run(t, t.TempDir(), "sandbox", "fault", "EC2", "RunInstances", "--delay", "5s", "-o", "json"))
	if len(all) != 1 || all[0].Effect != sandbox.EffectDelay || all[0].Code != "" {
		t.Errorf("%+v", all)
	}
}
