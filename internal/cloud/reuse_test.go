package cloud_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// handsOff lets a driver read what is the user's, and holds that it does nothing else with it.
type handsOff struct {
	engine.Driver
	w *world
}

func (d handsOff) check(verb string, t engine.Target) {
	if t.Record.ID != "" && !t.Record.Owned {
		d.w.t.Errorf("%s %s, which is the user's: %s", verb, t.Record.Key, t.Record.ID)
	}
}

func (d handsOff) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	d.check("settle", t)
	return d.Driver.Settle(ctx, t)
}

func (d handsOff) Delete(ctx context.Context, t engine.Target) error {
	d.check("delete", t)
	return d.Driver.Delete(ctx, t)
}

// drivers are those of the account, hands off what is the user's.
func (w *world) drivers() map[stack.Kind]engine.Driver {
	all := w.account.Drivers()
	for kind, d := range all {
		all[kind] = handsOff{d, w}
	}
	return all
}

// company gives the account the networks of a company, and lets the settings of the deployment name parts of them:
// "vpc_id=company" is the VPC with that name.
func (w *world) company(settings string) {
	w.t.Helper()
	if err := w.pretend.AddNetworks(region); err != nil {
		w.t.Fatal(err)
	}
	w.partly()
	r, err := w.account.Discovery().Read(w.t.Context(), discovery.Networks, discovery.Groups, discovery.Files)
	if err != nil {
		w.t.Fatal(err)
	}
	ids := map[string]map[string]string{"vpc_id": {}, "subnet_id": {}, "security_group_id": {}, "efs_id": {}}
	for _, v := range r.VPCs {
		ids["vpc_id"][v.Name] = v.ID
	}
	for _, s := range r.Subnets {
		ids["subnet_id"][s.Name] = s.ID
	}
	for _, g := range r.Groups {
		ids["security_group_id"][g.Name] = g.ID
	}
	for _, f := range r.FileSystems {
		ids["efs_id"][f.Name] = f.ID
	}
	w.settings = map[string]string{}
	for one := range strings.FieldsSeq(settings) {
		key, value, _ := strings.Cut(one, "=")
		if names, named := ids[key]; named {
			if value = names[value]; value == "" {
				w.t.Fatalf("nothing is named so: %s", one)
			}
		}
		w.settings[key] = value
	}
}

// partly makes two file systems more: one without a mount target, and one with a mount target in one zone only.
func (w *world) partly() {
	client := efs.NewFromConfig(w.pretend.Config(region))
	r, err := w.account.Discovery().Read(w.t.Context(), discovery.Networks, discovery.Groups)
	if err != nil {
		w.t.Fatal(err)
	}
	subnet := r.Subnets[slices.IndexFunc(r.Subnets, func(s discovery.Subnet) bool { return s.Name == "company-private-a" })]
	group := r.Groups[slices.IndexFunc(r.Groups, func(g discovery.SecurityGroup) bool { return g.Name == "company-files" })]
	for _, name := range []string{"bare", "one-door"} {
		out, err := client.CreateFileSystem(w.t.Context(), &efs.CreateFileSystemInput{CreationToken: &name, Encrypted: new(true), Tags: []efstypes.Tag{{Key: new("Name"), Value: &name}}})
		if err != nil {
			w.t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if name == "bare" {
			continue
		}
		if _, err := client.CreateMountTarget(w.t.Context(), &efs.CreateMountTargetInput{FileSystemId: out.FileSystemId, SubnetId: &subnet.ID, SecurityGroups: []string{group.ID}}); err != nil {
			w.t.Fatal(err)
		}
	}
	time.Sleep(5 * time.Minute)
}

// combination is one way to reuse what the company has.
type combination struct {
	name, settings string
	created        string // what is made in the network, and how often
	reused         string // the keys of what is used as it is
	added          int    // rules
}

var combinations = []combination{
	{"VPC", "vpc_id=company", "security-group 2, file-system 1, mount-target 2", "network/subnet-a network/subnet-b network/vpc", 0},
	{"subnet", "subnet_id=company-public-b", "security-group 2, file-system 1, mount-target 1", "network/subnet-a network/vpc", 0},
	{"private subnets through a tunnel", "vpc_id=company access=tunnel", "security-group 2, file-system 1, mount-target 2", "network/subnet-a network/subnet-b network/vpc", 0},
	{"security group", "security_group_id=company-machines", "security-group 1, file-system 1, mount-target 2", "access/host network/subnet-a network/subnet-b network/vpc", 0},
	{"security group through a prefix list", "security_group_id=company-offices", "security-group 1, file-system 1, mount-target 2", "access/host network/subnet-a network/subnet-b network/vpc", 0},
	{"everything", "vpc_id=company security_group_id=company-machines efs_id=company-files", "", "access/host network/subnet-a network/subnet-b network/vpc storage/files storage/mount-a storage/mount-b", 0},
	{"rules for the file system", "efs_id=company-files add_missing_rules=true", "security-group 1", "access/mount-a network/subnet-a network/subnet-b network/vpc storage/files storage/mount-a storage/mount-b", 1},
	{"rules for the machine", "vpc_id=company security_group_id=company-sealed add_missing_rules=true", "security-group 1, file-system 1, mount-target 2", "access/host network/subnet-a network/subnet-b network/vpc", 6},
	{"a mount target that is missing", "security_group_id=company-machines efs_id=one-door", "security-group 1, mount-target 1", "access/host network/subnet-a network/subnet-b network/vpc storage/files storage/mount-b", 0},
	{"a mount target and a rule that are missing", "efs_id=one-door add_missing_rules=true", "security-group 2, mount-target 1", "access/mount-a network/subnet-a network/subnet-b network/vpc storage/files storage/mount-b", 1},
	{"a file system in a new VPC", "efs_id=bare", "vpc 1, subnet 12, security-group 2, mount-target 6", "storage/files", 0},
	{"a closed group in a VPC", "vpc_id=company egress=restricted", "security-group 2, file-system 1, mount-target 2", "network/subnet-a network/subnet-b network/vpc", 0},
}

// inCompany runs a test with each combination, in a world of its own.
func inCompany(t *testing.T, do func(t *testing.T, w *world, c combination, before []byte)) {
	for _, c := range combinations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				w.company(c.settings)
				do(t, w, c, w.pretend.Dump())
			})
		})
	}
}

// TestReuse takes a deployment through its life with each combination. What is the user's is byte for byte as it was, while
// the deployment exists and when it is gone.
func TestReuse(t *testing.T) {
	inCompany(t, func(t *testing.T, w *world, c combination, before []byte) {
		if err := w.deploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.checkUntouched(before)
		w.checkProvenance(c)
		w.checkTags()
		if w.disk.Config.Access == stack.AccessDirect {
			w.checkServices()
		}
		if rest := w.plan(); rest.Changes() {
			t.Errorf("a second deploy would do something:\n%s", rest)
		}
		w.takeDown(before)
	})
}

// takeDown destroys, and waits for the interface of the machine, which in a subnet of the user's nothing of ours waits for.
func (w *world) takeDown(before []byte) {
	w.begin(0, "")
	if out, err := w.destroy(w.t.Context()); err != nil || !out.Proven {
		w.t.Fatalf("destroy: proven %v, %v", out.Proven, err)
	}
	time.Sleep(time.Minute)
	if diff := cmp.Diff(string(before), string(w.pretend.Dump())); diff != "" {
		w.t.Errorf("the account is not as before (-before +after):\n%s", diff)
	}
}

// checkProvenance compares what was created, reused and added with what is expected.
func (w *world) checkProvenance(c combination) {
	w.t.Helper()
	created, reused, added := map[stack.Kind]int{}, []string{}, 0
	for _, r := range w.disk.Sorted() {
		switch r.Provenance() {
		case stack.Created:
			created[r.Kind]++
		case stack.Reused:
			reused = append(reused, string(r.Key))
		case stack.Added:
			added++
		}
	}
	var made []string
	for _, kind := range []stack.Kind{stack.KindVPC, stack.KindSubnet, stack.KindSecurityGroup, stack.KindFileSystem, stack.KindMountTarget} {
		if created[kind] > 0 {
			made = append(made, fmt.Sprintf("%s %d", kind, created[kind]))
		}
	}
	if got := strings.Join(made, ", "); got != c.created {
		w.t.Errorf("created %s, want %s", got, c.created)
	}
	if got := strings.Join(reused, " "); got != c.reused {
		w.t.Errorf("reused %s, want %s", got, c.reused)
	}
	if added != c.added {
		w.t.Errorf("%d rules were added, want %d", added, c.added)
	}
}

// checkUntouched holds that everything that was there before is there as it was, but for rules that bear our tags.
func (w *world) checkUntouched(before []byte) {
	w.t.Helper()
	was, is := w.parts(before), w.parts(w.pretend.Dump())
	for id, text := range was {
		if diff := cmp.Diff(text, is[id]); diff != "" {
			w.t.Errorf("%s was touched (-before +after):\n%s", id, diff)
		}
	}
}

// parts are the resources of a dump as text, by kind and ID.
func (w *world) parts(dump []byte) map[string]string {
	var account struct {
		Regions map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(dump, &account); err != nil {
		w.t.Fatal(err)
	}
	all := map[string]string{}
	for kind, raw := range account.Regions[region] {
		var items map[string]map[string]any
		if json.Unmarshal(raw, &items) != nil {
			continue // the region's name
		}
		for id, item := range items {
			if rules, ok := item["rules"].([]any); ok {
				item["rules"] = slices.DeleteFunc(rules, func(r any) bool { return strings.Contains(fmt.Sprint(r), stack.TagStack) })
			}
			text, err := json.MarshalIndent(item, "", " ")
			if err != nil {
				w.t.Fatal(err)
			}
			all[kind+" "+id] = string(text)
		}
	}
	return all
}

// TestCrashOnReuse lets the process die at sampled calls of a deploy, and of a destroy. What the next one leaves is whole, or
// nothing; and nothing of the user's was touched.
func TestCrashOnReuse(t *testing.T) {
	every := 11
	if testing.Short() {
		every = 29
	}
	for n, c := range combinations {
		if c.added == 0 && !strings.Contains(c.settings, "efs_id") {
			continue // nothing that a deployment of its own has not
		}
		deployCalls, destroyCalls, deployed := referenceOf(t, c)
		for k := 1 + n%every; k <= max(deployCalls, destroyCalls); k += every {
			for _, when := range []string{"before", "after"} {
				t.Run(fmt.Sprintf("%s/%s %d", c.name, when, k), func(t *testing.T) {
					t.Parallel()
					inWorld(t, func(t *testing.T, w *world) {
						w.company(c.settings)
						before := w.pretend.Dump()
						w.crashDeploy(k, when)
						w.checkUntouched(before)
						w.begin(0, "")
						if err := w.deploy(t.Context()); err != nil {
							t.Fatalf("deploy again: %v", err)
						}
						if diff := cmp.Diff(deployed, w.census()); diff != "" {
							t.Errorf("not exactly one of each (-one +now):\n%s", diff)
						}
						w.checkTags()
						w.begin(k, when)
						_, _ = w.destroy(t.Context())
						w.takeDown(before)
					})
				})
			}
		}
	}
}

// referenceOf is the reference of a deployment that reuses something.
func referenceOf(t *testing.T, c combination) (deployCalls, destroyCalls int, deployed map[string]int) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.company(c.settings)
		w.begin(0, "")
		if err := w.deploy(t.Context()); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		deployCalls, deployed = w.calls, w.census()
		w.begin(0, "")
		if _, err := w.destroy(t.Context()); err != nil {
			t.Fatal(err)
		}
		destroyCalls = w.calls
	})
	return deployCalls, destroyCalls, deployed
}

// A deploy that fails takes back what it made, and nothing else.
func TestRollBackOfReuse(t *testing.T) {
	inCompany(t, func(t *testing.T, w *world, c combination, before []byte) {
		s, err := w.state()
		if err != nil {
			t.Fatal(err)
		}
		w.add(sandbox.Fault{Service: "EC2", Operation: "RunInstances", Effect: sandbox.EffectError, Code: "UnauthorizedOperation"})
		g, err := stack.Blueprint(s.Identity, s.Config, s.Facts)
		if err != nil {
			t.Fatal(err)
		}
		began, err := w.engine().Apply(t.Context(), g, &s)
		if err == nil || len(began) == 0 {
			t.Fatalf("began %v, %v", began, err)
		}
		w.checkUntouched(before)
		w.calm()
		if _, err := w.engine().Destroy(t.Context(), &s, engine.Removal{Only: began}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if diff := cmp.Diff(string(before), string(w.pretend.Dump())); diff != "" {
			t.Errorf("the account is not as before (-before +after):\n%s", diff)
		}
	})
}

// TestARecordOfReuseIsRebuiltFromTheAccount knows nothing but the tags, and goes on with what is reused.
func TestARecordOfReuseIsRebuiltFromTheAccount(t *testing.T) {
	inCompany(t, func(t *testing.T, w *world, c combination, before []byte) {
		if err := w.deploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		recorded := maps.Clone(w.disk.Records)
		traces, err := w.engine().Survey(t.Context(), w.disk.ID)
		if err != nil || len(traces) != 1 {
			t.Fatalf("the account shows %v (%v)", traces, err)
		}
		config := traces[0].Config("life", region)
		s := stack.Rebuild(w.disk.Identity, traces[0], config, traces[0].Facts(w.disk.Account, region), w.account.Clock().Now())
		if s.Phase(false) != stack.PhaseRunning {
			t.Errorf("it is %s", s.Phase(false))
		}
		for key, want := range recorded {
			got := s.Records[key]
			named := want.Owned || slices.Contains([]stack.Kind{stack.KindVPC, stack.KindSubnet, stack.KindFileSystem, stack.KindMountTarget}, want.Kind) || key == stack.KeyHostGroup
			if named && (got.ID != want.ID || got.Owned != want.Owned) {
				t.Errorf("%s is %s (ours: %v), recorded was %s (ours: %v)", key, got.ID, got.Owned, want.ID, want.Owned)
			}
		}
		for _, key := range []string{"access", "egress", "add_missing_rules"} { // which tags do not tell
			if value := w.disk.Config.Value(key); value != nil {
				if err := config.Set(key, value, stack.Source{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		facts, err := w.account.Facts(t.Context(), config, s.Zones()...)
		if err != nil {
			t.Fatal(err)
		}
		facts.Reuse = s.Reuse(facts.Reuse)
		if vpc := s.Records[stack.KeyVPC]; vpc.Owned {
			facts.VPCCIDR = vpc.Attrs[stack.AttrCIDR]
		}
		s.Config, s.Facts = config, facts
		w.disk = &s
		if err := w.deploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		for key, want := range recorded {
			if got := w.disk.Records[key]; want.Owned && (got.ID != want.ID || !got.Owned) {
				t.Errorf("after another deploy %s is %s (ours: %v), recorded was %s", key, got.ID, got.Owned, want.ID)
			}
		}
		w.checkUntouched(before)
		w.takeDown(before)
	})
}

// What does not fit is refused before anything is made, with what is wrong and what to do.
func TestUnfitReuseIsRefused(t *testing.T) {
	for settings, want := range map[string]string{
		"vpc_id=legacy":                                                     "has DNS hostnames off, so the file system's name is not found (flag); turn on DNS resolution",
		"subnet_id=company-isolated-a":                                      "has no route to the internet (flag); choose a subnet with a route to an internet gateway",
		"subnet_id=company-isolated-a access=tunnel":                        "route 0.0.0.0/0 to a NAT gateway or an internet gateway",
		"subnet_id=company-private-a":                                       "is private",
		"subnet_id=company-full-a":                                          "has no free address",
		"subnet_id=company-closed-b":                                        "network ACL",
		"vpc_id=company security_group_id=company-web":                      "does not let in tcp 11434, 6333, 11235 from 203.0.113.10/32 (flag); add these rules, or let --add-missing-rules do it",
		"security_group_id=company-sealed":                                  "does not let out",
		"vpc_id=company efs_id=company-scratch":                             "is not encrypted",
		"vpc_id=company efs_id=company-mirror":                              "read-only",
		"vpc_id=company efs_id=company-files":                               "does not let the machine in",
		"vpc_id=vault":                                                      "has no internet gateway, so nobody reaches the machine from outside (flag); attach one",
		"subnet_id=vault-broken-b access=tunnel":                            "which is gone (flag); route 0.0.0.0/0 to a NAT gateway",
		"vpc_id=dedicated":                                                  "has dedicated tenancy",
		"vpc_id=shielded":                                                   "is cut off from the internet by VPC Block Public Access",
		"vpc_id=company efs_id=company-archive":                             "is a One Zone file system of us-east-1c, where ",
		"efs_id=company-archive":                                            "is a One Zone file system of us-east-1c, and a new VPC spreads over several zones",
		"vpc_id=company subnet_id=legacy-public-a":                          "lies in ",
		"subnet_id=company-public-a instance_type=p5.48xlarge workload=gpu": "does not sell the machine",
		"vpc_id=vault security_group_id=company-web":                        "lies in ",
		"vpc_id=legacy efs_id=company-files":                                "lies in ",
	} {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				w.company(settings)
				before := w.pretend.Dump()
				_, err := w.state()
				field, ok := errors.AsType[*stack.FieldError](err)
				if !ok || !strings.Contains(err.Error(), want) || field.Fix == "" {
					t.Errorf("got %v, want %s", err, want)
				}
				if !bytes.Equal(before, w.pretend.Dump()) {
					t.Error("something was made")
				}
			})
		})
	}
	for key, id := range map[string]string{
		"vpc_id": "vpc-00000000000000000", "subnet_id": "subnet-00000000000000000",
		"security_group_id": "sg-00000000000000000", "efs_id": "fs-00000000000000000",
	} {
		inWorld(t, func(t *testing.T, w *world) {
			w.settings = map[string]string{key: id}
			if _, err := w.state(); err == nil || !strings.HasPrefix(err.Error(), key+": there is no ") || !strings.Contains(err.Error(), "`geusemaker discover ") {
				t.Errorf("%s: %v", key, err)
			}
		})
	}
}
