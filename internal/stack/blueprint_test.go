package stack_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// graphText is a graph as text: a line a resource, with its spec and with what it waits for.
func graphText(t *testing.T, g stack.Graph) string {
	t.Helper()
	var b strings.Builder
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "%s [%s]\n", n.Key, n.Spec.Kind())
		for _, r := range n.Spec.Refs() {
			fmt.Fprintf(&b, "  after %s is %s", r.Key, r.Until)
			if r.Late {
				b.WriteString(", but only once it is made itself")
			}
			if r.Outlives {
				b.WriteString(", which it outlives")
			}
			b.WriteByte('\n')
		}
		text, err := json.MarshalIndent(n.Spec, "  ", "  ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "  %s\n", text)
	}
	return b.String()
}

func TestBlueprintOfDev(t *testing.T) {
	golden(t, "dev.graph", graphText(t, blueprint(t, goodConfig(), goodFacts())))
}

// What the user chose arrives in the specs.
func TestBlueprintFollowsTheConfig(t *testing.T) {
	c, f := goodConfig(), goodFacts()
	for key, raw := range map[string]any{
		"root_gib": 60, "data_gib": 80, "data_throughput": 500, "kms_key_id": "alias/mine", "key_pair": "me", "backup": "off", "workload": "gpu",
		"https": "acme", "domain": "ai.example.com", "models": "phi4", "services": "n8n=n:1", "env": "n8n.A=1", "os_type": "amazon-linux-2023", "architecture": "arm64",
	} {
		if err := c.Set(key, raw, stack.Source{Kind: "flag"}); err != nil {
			t.Fatal(err)
		}
	}
	f.VPCCIDR = "10.99.0.0/24"
	g := blueprint(t, c, f)
	spec := func(key stack.Key) stack.Spec { n, _ := g.Find(key); return n.Spec }
	instance := spec(stack.KeyInstance).(stack.Instance)
	m := instance.Machine
	for what, ok := range map[string]bool{
		"VPC":        spec(stack.KeyVPC).(stack.VPC).CIDR == "10.99.0.0/24",
		"volume":     cmp.Equal(spec(stack.KeyData), stack.Volume{Name: "geusemaker-demo-data", GiB: 80, Throughput: 500, KMSKey: "alias/mine", Device: "/dev/sdf", Instance: stack.KeyInstance}),
		"files":      cmp.Equal(spec(stack.KeyFiles), stack.FileSystem{Name: "geusemaker-demo-files", KMSKey: "alias/mine"}),
		"root disk":  instance.RootGiB == 100 && instance.Throughput == 500 && instance.KMSKey == "alias/mine",
		"key pair":   instance.KeyPair == "me",
		"offers":     cmp.Equal(instance.Offers, f.Offers) && cmp.Equal(instance.Image, f.Image),
		"machine":    m.Workload == "gpu" && m.OSType == "amazon-linux-2023" && m.Architecture == "arm64" && m.Backup == "off" && m.Region == demo.Region,
		"TLS":        m.HTTPS == "acme" && m.Domain == "ai.example.com",
		"containers": cmp.Equal(m.Models, []string{"phi4"}) && m.Images["n8n"] == "n:1" && m.Env["n8n"]["A"] == "1",
		"secret":     m.SecretParameter == "/geusemaker/0123456789abcdef/stack" && spec(stack.KeySecret).(stack.Parameter).Name == m.SecretParameter,
	} {
		if !ok {
			t.Errorf("%s does not follow the config: %s", what, graphText(t, g))
		}
	}
	for _, tt := range []struct{ asked, image, want int }{{0, 8, 40}, {8, 8, 40}, {60, 8, 60}, {0, 75, 75}, {60, 75, 75}} {
		c, f := goodConfig(), goodFacts()
		c.RootGiB, f.Image.RootGiB = tt.asked, tt.image
		n, _ := blueprint(t, c, f).Find(stack.KeyInstance)
		if got := n.Spec.(stack.Instance).RootGiB; got != tt.want {
			t.Errorf("root volume of %d GiB when %d were asked and the image has %d, want %d", got, tt.asked, tt.image, tt.want)
		}
	}
}

func TestBlueprintRefuses(t *testing.T) {
	for _, tt := range []struct {
		want string
		edit func(*stack.Config, *stack.Facts)
	}{
		{`tier: "gpu" is not available in this version; use dev`, func(c *stack.Config, _ *stack.Facts) { c.Tier = stack.TierGPU }},
		{"no zone of region eu-central-1 offers the machine: choose another instance_type or region", func(_ *stack.Config, f *stack.Facts) { f.Zones = nil }},
		{"zone eu-central-1-wl1 is none of a to h, for which the address plan has room: choose another region", func(_ *stack.Config, f *stack.Facts) { f.Zones = []string{"eu-central-1-wl1"} }},
		{`vpc_cidr: "auto" is not a CIDR block`, func(_ *stack.Config, f *stack.Facts) { f.VPCCIDR = "auto" }},
	} {
		c, f := goodConfig(), goodFacts()
		tt.edit(&c, &f)
		if _, err := stack.Blueprint(demo, c, f); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// The machine is launched while the file system is still coming up: it mounts it by retrying.
func TestLaunchDoesNotWaitForFiles(t *testing.T) {
	g := blueprint(t, goodConfig(), goodFacts())
	until := map[stack.Key]stack.Status{}
	var follow func(stack.Key)
	follow = func(key stack.Key) {
		n, _ := g.Find(key)
		for _, r := range n.Spec.Refs() {
			if until[r.Key] == "" || r.Until == stack.StatusReady {
				until[r.Key] = r.Until
				follow(r.Key)
			}
		}
	}
	follow(stack.KeyInstance)
	if until[stack.KeyFiles] != stack.StatusCreated {
		t.Errorf("the launch waits for the file system to be %q", until[stack.KeyFiles])
	}
	for key := range until {
		if strings.HasPrefix(string(key), "storage/mount") || key == stack.KeyData {
			t.Errorf("the launch waits for %s", key)
		}
	}
	for _, key := range []stack.Key{stack.KeyRoutes, stack.KeyHostGroup, stack.KeyProfile, stack.KeyPolicy, stack.KeySecret} {
		if until[key] != stack.StatusReady {
			t.Errorf("the launch does not wait for %s", key)
		}
	}
}

func TestHostRules(t *testing.T) {
	const all = "tcp 443 203.0.113.7/32 n8n, tcp 11434 203.0.113.7/32 ollama, tcp 6333 203.0.113.7/32 qdrant, tcp 11235 203.0.113.7/32 crawl4ai"
	for _, tt := range []struct {
		name, caller, want string
		set                map[string]any
	}{
		{"defaults", "203.0.113.7/32", all, nil},
		{"plain HTTP", "203.0.113.7/32", strings.Replace(all, "443", "80", 1), map[string]any{"https": "off"}},
		{"two ranges", "203.0.113.7/32", twice(all), map[string]any{"allow_cidrs": "my-ip,10.0.0.0/8"}},
		{"SSH too", "203.0.113.7/32", all + ", tcp 22 203.0.113.7/32 SSH", map[string]any{"ssh_cidr": "my-ip"}},
		{"SSH from elsewhere", "203.0.113.7/32", all + ", tcp 22 198.51.100.0/24 SSH", map[string]any{"ssh_cidr": "198.51.100.0/24"}},
		{"own address not found", "", "", nil},
		{"tunnel", "203.0.113.7/32", "", map[string]any{"access": "tunnel", "allow_cidrs": "my-ip,0.0.0.0/0"}},
		{"tunnel with SSH", "203.0.113.7/32", "tcp 22 203.0.113.7/32 SSH", map[string]any{"access": "tunnel", "ssh_cidr": "my-ip"}},
		{"tunnel with a certificate", "203.0.113.7/32", "", map[string]any{"access": "tunnel", "https": "acme", "domain": "ai.example.com"}},
		{"certificate of an authority", "203.0.113.7/32", all + ", tcp 80 0.0.0.0/0 certificate challenge", map[string]any{"https": "acme", "domain": "ai.example.com"}},
	} {
		c, f := goodConfig(), goodFacts()
		for key, raw := range tt.set {
			if err := c.Set(key, raw, stack.Source{}); err != nil {
				t.Fatal(err)
			}
		}
		f.CallerCIDR = tt.caller
		n, _ := blueprint(t, c, f).Find(stack.KeyHostGroup)
		var got []string
		for _, r := range n.Spec.(stack.SecurityGroup).Rules {
			got = append(got, fmt.Sprintf("%s %d %s%s %s", r.Protocol, r.Port, r.CIDR, r.Group, r.Reason))
		}
		if diff := cmp.Diff(strings.Split(tt.want, ", "), strings.Split(strings.Join(got, ", "), ", ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// twice is a list of rules for two ranges of addresses.
func twice(rules string) string {
	var all []string
	for r := range strings.SplitSeq(rules, ", ") {
		all = append(all, r, strings.ReplaceAll(r, "203.0.113.7/32", "10.0.0.0/8"))
	}
	return strings.Join(all, ", ")
}

// Whatever Validate lets through has a blueprint: acyclic, with subnets that lie apart in the network, and open to nobody
// who was not named.
func FuzzBlueprint(f *testing.F) {
	for seed := range uint64(150) {
		f.Add(seed, "10.0.0.0/20")
	}
	f.Add(uint64(0), "255.255.255.0/24")
	f.Add(uint64(0), "::/0")
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		random := rand.New(rand.NewPCG(seed, 11))
		c, facts := randomConfig(random, text), goodFacts()
		if c.Validate() != nil {
			return
		}
		if c.VPCCIDR != stack.Auto {
			facts.VPCCIDR = c.VPCCIDR
		}
		facts.Image.RootGiB = random.IntN(200)
		g, err := stack.Blueprint(demo, c, facts)
		if err != nil {
			t.Fatalf("%v\n%s", err, mustJSON(t, c))
		}
		if again, err := stack.Blueprint(demo, c, facts); err != nil || graphText(t, g) != graphText(t, again) {
			t.Fatalf("the same facts give another graph: %v", err)
		}
		var subnets []netip.Prefix
		for i, n := range g.Nodes {
			for _, r := range n.Spec.Refs() {
				if !slices.ContainsFunc(g.Nodes[:i], func(m stack.Node) bool { return m.Key == r.Key }) {
					t.Fatalf("%s comes before %s, which it needs", n.Key, r.Key)
				}
			}
			switch s := n.Spec.(type) {
			case stack.Subnet:
				subnets = append(subnets, netip.MustParsePrefix(s.CIDR))
			case stack.SecurityGroup:
				checkRules(t, c, facts, s)
			}
		}
		checkSubnets(t, netip.MustParsePrefix(facts.VPCCIDR), subnets, len(facts.Zones))
		if cost := stack.Estimate(g, facts); cost.Hourly <= 0 || cost.Monthly <= cost.Hourly || cost.OnDemandMonthly < cost.Monthly {
			t.Fatalf("it costs %v an hour, %v a month, %v on demand", cost.Hourly, cost.Monthly, cost.OnDemandMonthly)
		}
	})
}

// randomConfig gives some keys values, mostly such as Validate takes, or text.
func randomConfig(random *rand.Rand, text string) stack.Config {
	c := goodConfig()
	choices := map[string][]any{
		"name": {"a1", "a-long-name-that-just-fits-here"}, "workload": {"cpu", "gpu"}, "vpc_cidr": {"10.0.0.0/16", "172.16.0.0/16", "192.168.255.0/24", "100.64.0.0/19"},
		"allow_cidrs": {"my-ip", "10.0.0.0/8,my-ip", "198.51.100.0/24", "0.0.0.0/0", ""}, "public": {true}, "access": {"tunnel", "direct"}, "ssh_cidr": {"my-ip", "0.0.0.0/0"},
		"key_pair": {"me"}, "https": {"off", "acme"}, "domain": {"ai.example.com"}, "root_gib": {8, 500}, "data_gib": {8, 65536}, "data_throughput": {125, 750},
		"backup": {"off"}, "models": {"a,b"}, "services": {"n8n=x"}, "env": {"n8n.A=1"}, "tags": {"a=b"}, "kms_key_id": {"k"}, "instance_type": {"t3.large"},
	}
	for _, f := range stack.Fields() {
		list := choices[f.Key]
		if len(list) == 0 || random.IntN(3) > 0 {
			continue
		}
		raw := list[random.IntN(len(list))]
		if random.IntN(8) == 0 {
			raw = text
		}
		_ = c.Set(f.Key, raw, stack.Source{}) // what is refused stays as it was
	}
	return c
}

func checkSubnets(t *testing.T, vpc netip.Prefix, subnets []netip.Prefix, zones int) {
	t.Helper()
	if len(subnets) != 2*zones {
		t.Fatalf("%d subnets in %d zones, want two each", len(subnets), zones)
	}
	for i, s := range subnets {
		if !vpc.Contains(s.Addr()) || s.Bits() < vpc.Bits() || s != s.Masked() || s.Bits() > 28 {
			t.Fatalf("subnet %s is not a block of %s", s, vpc)
		}
		for _, other := range subnets[:i] {
			if s.Overlaps(other) {
				t.Fatalf("subnets %s and %s of %s overlap", s, other, vpc)
			}
		}
	}
}

// checkRules holds that a group is open only to whom the user named, to other groups of ours, and to the certificate
// authority on its one port.
func checkRules(t *testing.T, c stack.Config, f stack.Facts, s stack.SecurityGroup) {
	t.Helper()
	for _, r := range s.Rules {
		named := slices.Contains(c.AllowCIDRs, r.CIDR) || c.SSHCIDR == r.CIDR || r.CIDR == f.CallerCIDR
		challenge := c.HTTPS == stack.HTTPSACME && c.Access == stack.AccessDirect && r.Port == 80
		switch {
		case r.Group != "" && r.CIDR == "":
		case r.Group != "" || !named && !challenge:
			t.Fatalf("%s lets in %+v", s.Name, r)
		case r.CIDR == "0.0.0.0/0" && !c.Public && !challenge:
			t.Fatalf("%s is open to the world without public: %+v", s.Name, r)
		case r.Port != 22 && c.Access == stack.AccessTunnel && !challenge:
			t.Fatalf("%s is open though access is tunnel: %+v", s.Name, r)
		}
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestServiceURL(t *testing.T) {
	got := map[string]string{}
	for _, https := range []string{stack.HTTPSInternal, stack.HTTPSOff} {
		for _, s := range stack.Services(https) {
			got[https+" "+s.Name] = s.URL("h", https)
		}
	}
	want := map[string]string{
		"internal n8n": "https://h", "internal ollama": "https://h:11434", "internal qdrant": "https://h:6333", "internal crawl4ai": "https://h:11235",
		"internal postgres": "", "internal gateway": "",
		"off n8n": "http://h", "off ollama": "http://h:11434", "off qdrant": "http://h:6333", "off crawl4ai": "http://h:11235",
		"off postgres": "", "off gateway": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}

func TestDefaultsThatDependOnOthers(t *testing.T) {
	for _, tt := range []struct{ tier, workload, amiType, wantWorkload, wantAMI string }{
		{"dev", "", "auto", "cpu", "standard"},
		{"dev", "gpu", "auto", "gpu", "base"},
		{"gpu", "", "auto", "gpu", "base"},
		{"gpu", "cpu", "auto", "cpu", "standard"},
		{"dev", "", "pytorch", "cpu", "pytorch"},
	} {
		c := stack.Config{Tier: tt.tier, Workload: tt.workload, AMIType: tt.amiType}
		if c.WorkloadOrDefault() != tt.wantWorkload || c.AMITypeOrDefault() != tt.wantAMI {
			t.Errorf("%+v: workload %s, image %s", tt, c.WorkloadOrDefault(), c.AMITypeOrDefault())
		}
	}
}

func TestUsualTimesAreKnown(t *testing.T) {
	data := 0
	for _, n := range blueprint(t, goodConfig(), goodFacts()).Nodes {
		if ready, gone := n.Spec.Kind().Usual(); ready <= 0 || gone <= 0 {
			t.Errorf("%s usually takes %s and %s", n.Spec.Kind(), ready, gone)
		}
		if n.Spec.Kind().HoldsData() {
			data++
		}
	}
	if data != 3 {
		t.Errorf("%d resources hold data, want the file system, the volume and the secrets", data)
	}
}
