package cloud_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// keepData destroys all but what holds data.
func (w *world) keepData() error {
	s := w.disk.Clone()
	out, err := w.engine().Destroy(w.t.Context(), &s, engine.Removal{KeepData: true})
	if err == nil && (!out.Proven || len(out.Kept) != 3) {
		err = fmt.Errorf("proven %v, kept %v", out.Proven, out.Kept)
	}
	return err
}

// secret is what lies in the parameter of the deployment.
func (w *world) secret() string {
	name := w.disk.Records[stack.KeySecret].ID
	out, err := ssm.NewFromConfig(w.pretend.Config(region)).GetParameter(w.t.Context(), &ssm.GetParameterInput{Name: &name, WithDecryption: new(true)})
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.Parameter.Value
}

// holder is the machine to which the data volume is attached.
func (w *world) holder() string {
	out, err := ec2.NewFromConfig(w.pretend.Config(region)).DescribeVolumes(w.t.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{w.disk.Records[stack.KeyData].ID}})
	if err != nil {
		w.t.Fatal(err)
	}
	if attached := out.Volumes[0].Attachments; len(attached) > 0 {
		return *attached[0].InstanceId
	}
	return ""
}

// onlyData is what the account holds of a deployment whose data were kept.
var onlyData = map[string]int{"file-system": 1, "volume": 1, "parameter": 1}

func (w *world) checkOnlyData() {
	w.t.Helper()
	if diff := cmp.Diff(onlyData, w.census()); diff != "" {
		w.t.Errorf("not exactly the data are left (-want +got):\n%s", diff)
	}
}

// data are the IDs of what holds data.
func (w *world) data() [3]string {
	r := w.disk.Records
	return [3]string{r[stack.KeyFiles].ID, r[stack.KeyData].ID, r[stack.KeySecret].ID}
}

// checkAttached checks that a machine runs on the same data as before.
func (w *world) checkAttached(data [3]string, secret string) {
	w.t.Helper()
	if got := w.data(); got != data {
		w.t.Errorf("the data are %v, and were %v", got, data)
	}
	if w.secret() != secret {
		w.t.Error("the logins have changed")
	}
	if m, _ := w.disk.Machine(); w.holder() != m.ID || m.ID == "" {
		w.t.Errorf("the volume is attached to %q, not to %q", w.holder(), m.ID)
	}
}

// TestKeepData takes a deployment down to its data and up again.
func TestKeepData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		before := w.pretend.Dump()
		if err := errors.Join(w.deploy(t.Context()), w.watch(t.Context())); err != nil {
			t.Fatal(err)
		}
		data, secret := w.data(), w.secret()
		first, _ := w.disk.Machine()
		for range 2 {
			if err := w.keepData(); err != nil {
				t.Fatal(err)
			}
			w.checkOnlyData()
			if err := errors.Join(w.deploy(t.Context()), w.watch(t.Context())); err != nil {
				t.Fatal(err)
			}
			w.checkAttached(data, secret)
			w.checkTags()
			if m, _ := w.disk.Machine(); m.ID == first.ID {
				t.Error("the machine is the old one")
			}
		}
		w.destroyAgain(before)
	})
}

// TestCrashOnKeptData lets the process die while data are kept, and while they are attached again.
func TestCrashOnKeptData(t *testing.T) {
	deployCalls, destroyCalls, deployed := reference(t)
	every := 5
	if testing.Short() {
		every = 23
	}
	for _, when := range []string{"before", "after"} {
		for k := 1; k <= destroyCalls; k += every {
			t.Run(fmt.Sprintf("keep/%s %d", when, k), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(t *testing.T, w *world) {
					before := w.pretend.Dump()
					if err := w.deploy(t.Context()); err != nil {
						t.Fatal(err)
					}
					data, secret := w.data(), w.secret()
					w.begin(k, when)
					_ = w.keepData()
					w.begin(0, "")
					if err := w.keepData(); err != nil {
						t.Fatal(err)
					}
					w.checkOnlyData()
					w.deployAgain(deployed)
					w.checkAttached(data, secret)
					w.destroyAgain(before)
				})
			})
		}
		for k := 1; k <= deployCalls; k += every {
			t.Run(fmt.Sprintf("attach/%s %d", when, k), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(t *testing.T, w *world) {
					before := w.pretend.Dump()
					if err := errors.Join(w.deploy(t.Context()), w.keepData()); err != nil {
						t.Fatal(err)
					}
					data, secret := w.data(), w.secret()
					w.crashDeploy(k, when)
					w.deployAgain(deployed)
					w.checkAttached(data, secret)
					w.destroyAgain(before)
				})
			})
		}
	}
}

// TestAnotherComputerTakesTheDataOver knows nothing but the account.
func TestAnotherComputerTakesTheDataOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		before := w.pretend.Dump()
		if err := errors.Join(w.deploy(t.Context()), w.keepData()); err != nil {
			t.Fatal(err)
		}
		data, secret := w.data(), w.secret()
		traces, err := w.engine().Survey(t.Context(), "")
		if err != nil || len(traces) != 1 || !traces[0].DataOnly() || traces[0].Tier != stack.TierDev {
			t.Fatalf("the account shows %v (%v)", traces, err)
		}
		trace := traces[0]
		c := trace.Config("other", region)
		zone := trace.Records[stack.KeyData].Attrs[stack.AttrZone]
		facts, err := w.account.Facts(t.Context(), c, zone)
		if err != nil {
			t.Fatal(err)
		}
		s := stack.Rebuild(stack.Identity{ID: trace.ID, Name: "other", Account: facts.Account, Region: region, Tier: c.Tier}, trace, c, facts, w.account.Clock().Now())
		w.disk = &s
		if err := errors.Join(w.deploy(t.Context()), w.watch(t.Context())); err != nil {
			t.Fatal(err)
		}
		w.checkAttached(data, secret)
		if m, _ := w.disk.Machine(); m.Attrs[stack.AttrZone] != zone {
			t.Errorf("the machine is in %s, its volume in %s", m.Attrs[stack.AttrZone], zone)
		}
		w.destroyAgain(before)
	})
}

// TestARecordIsRebuiltFromTheAccount compares what the tags tell with what was recorded.
func TestARecordIsRebuiltFromTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		before := w.pretend.Dump()
		if err := w.deploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		traces, err := w.engine().Survey(t.Context(), w.disk.ID)
		if err != nil || len(traces) != 1 {
			t.Fatalf("the account shows %v (%v)", traces, err)
		}
		c := traces[0].Config("life", region)
		facts := traces[0].Facts(w.disk.Account, region)
		s := stack.Rebuild(w.disk.Identity, traces[0], c, facts, w.account.Clock().Now())
		if s.Phase(false) != stack.PhaseRunning || len(s.Records) != len(w.disk.Records) {
			t.Errorf("%s with %d resources, recorded were %d", s.Phase(false), len(s.Records), len(w.disk.Records))
		}
		for key, want := range w.disk.Records {
			got := s.Records[key]
			if got.ID != want.ID || got.Kind != want.Kind {
				t.Errorf("%s is %s %s, recorded was %s %s", key, got.Kind, got.ID, want.Kind, want.ID)
			}
			for _, need := range want.Needs {
				if _, ok := s.Records[need]; ok && !slices.Contains(got.Needs, need) {
					t.Errorf("%s does not need %s", key, need)
				}
			}
		}
		w.disk = &s
		w.destroyAgain(before)
	})
}
