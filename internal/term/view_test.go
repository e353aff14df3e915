package term

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"geusemaker/internal/stack"

	"github.com/charmbracelet/x/ansi"
)

func exampleCost() stack.Cost {
	m := func(s string) stack.Money {
		v, err := stack.ParseMoney(s)
		if err != nil {
			panic(err)
		}
		return v
	}
	month := func(name string, quantity int64, unit, monthly, source string, age time.Duration, guess bool) stack.Component {
		return stack.Component{Name: name, Quantity: quantity, Unit: unit, Monthly: m(monthly), Hourly: m(monthly).Hourly(), Source: source, AsOf: epoch.Add(-age), Guess: guess}
	}
	c := stack.Cost{Currency: "USD", SavingPercent: 46, OnDemandMonthly: m("95.12"), Components: []stack.Component{
		month("m7i.large spot", 1, "hour", "29.20", "EC2 spot price history", 5*time.Minute, false),
		month("root volume", 40, "GB-month", "3.20", "AWS price list", 49*time.Hour, false),
		month("data volume", 40, "GB-month", "3.20", "AWS price list", 49*time.Hour, false),
		month("data volume throughput", 125, "MiB/s-month", "5.00", "AWS price list", 49*time.Hour, false),
		month("public IPv4 address", 1, "hour", "3.65", "AWS price list", 49*time.Hour, false),
		month("file system storage", 10, "GB-month", "3.00", "AWS price list", 49*time.Hour, true),
		month("file system reads", 50, "GB", "1.50", "built-in estimate", 0, true),
	}}
	for _, part := range c.Components {
		c.Hourly += part.Hourly
		c.Monthly += part.Monthly
	}
	c.Daily = c.Hourly.Times(24, 1)
	return c
}

func examplePlanInput() PlanInput {
	return PlanInput{
		Title: "Plan for demo", Sandbox: true, Plan: examplePlan(), Cost: exampleCost(), Now: epoch,
		Facts: [][2]string{
			{"account", "123456789012"},
			{"region", "us-east-1, zones us-east-1a and us-east-1b"},
			{"image", "ubuntu-24.04 x86_64 standard: ami-0123456789abcdef0, 22d old"},
			{"machine", "m7i.large spot in us-east-1a (2 vCPU, 8 GiB), then 5 other offers"},
			{"key pair", ""},
		},
		Warnings: []string{"prices of the public address are from a list of 2026-10-01, since the price service did not answer in time"},
	}
}

func exampleInspect() InspectInput {
	cost := CostSection(exampleCost(), epoch)
	return InspectInput{Title: "demo", Status: "degraded", Sandbox: true, Sections: []Section{
		{Pairs: [][2]string{{"status", "degraded"}, {"id", "k3x9f2aa"}, {"region", "us-east-1a in us-east-1"}, {"created", "2026-11-23 09:00 (3h ago)"}}},
		{Title: "Machine", Pairs: [][2]string{{"id", "i-0a1b2c3d4e5f60718"}, {"type", "m7i.large spot"}, {"state", "running"}, {"address", "203.0.113.7"}}},
		{Title: "Endpoints", Table: &Table{
			Columns: []Column{{Name: "SERVICE"}, {Name: "HEALTH", Paint: Screen.Status}, {Name: "URL"}, {Name: "LOGIN", Drop: 1}},
			Rows: []Row{
				{Cells: []string{"n8n", "healthy", "https://203.0.113.7", "n8n login"}},
				{Cells: []string{"ollama", "unreachable", "https://203.0.113.7:11434", "bearer token"}, Problem: "connection refused; the container restarts: out of memory while loading llama3.2:3b"},
			},
		}},
		{Title: "Access", Lines: []string{"ssh -i ~/.ssh/demo.pem ubuntu@203.0.113.7", "geusemaker connect demo"}, Notes: []string{"SSH is open to 198.51.100.4/32 only."}},
		{Title: "Resources", Table: &Table{
			Tree:    true,
			Columns: []Column{{Name: "RESOURCE"}, {Name: "ID", Min: 16}, {Name: "STATUS", Paint: Screen.Status}, {Name: "ORIGIN", Drop: 1}},
			Rows: []Row{
				{Cells: []string{"network/vpc", "vpc-0123456789abcdef0", "ready", "made"}},
				{Cells: []string{"network/gateway", "igw-0123456789abcdef0", "ready", "made"}},
				{Cells: []string{"access/host", "sg-0123456789abcdef0", "ready", "yours"}},
				{Cells: []string{"identity/profile", "geusemaker-demo-k3x9f2aa-profile-with-a-name", "ready", "made"}},
			},
		}},
		cost,
		{Title: "Configuration", Table: &Table{
			Columns: []Column{{Name: "KEY"}, {Name: "VALUE", Min: 12}, {Name: "SOURCE", Drop: 1, Min: 10}},
			Rows:    []Row{{Cells: []string{"region", "us-east-1", "environment AWS_REGION"}}, {Cells: []string{"models", "llama3.2:3b,nomic-embed-text", "file ./geusemaker.yaml"}}},
		}},
		{Title: "Nothing in it"},
	}, Warnings: []string{"ollama does not answer"}}
}

// views are all views with the examples.
func views() map[string]func(Screen) string {
	money := 365 * stack.Dollar / 100
	return map[string]func(Screen) string{
		"plan": func(s Screen) string { return PlanView(s, examplePlanInput()) },
		"plan-noop": func(s Screen) string {
			plan := stack.Plan{Steps: []stack.Step{{Key: "network/vpc", Action: stack.ActionKeep, Cause: "vpc-1"}}}
			return PlanView(s, PlanInput{Title: "Plan for demo", Plan: plan, Now: epoch})
		},
		"plan-unknown": func(s Screen) string {
			plan := stack.Plan{Steps: []stack.Step{
				{Key: "compute/instance", Action: "replace", Cause: "another type"},
				{Key: "storage/data", Action: stack.ActionDelete, Cause: "vol-1"},
			}}
			return PlanView(s, PlanInput{Title: "Plan for demo", Plan: plan, Now: epoch})
		},
		"list": func(s Screen) string {
			return ListView(s, []ListRow{
				{Name: "demo", Status: "running", Region: "us-east-1", Machine: "m7i.large spot", URL: "https://203.0.113.7", Age: "3h", ToDate: "$0.20", Monthly: "~$48.75"},
				{
					Name: "a-name-of-thirty-characters-xx", Status: "failed", Region: "eu-central-1", Machine: "g5.2xlarge on-demand", Age: "2d", ToDate: "$12.05", Monthly: "$1204.99",
					Error: "compute/instance: there is no capacity for g5.2xlarge in eu-central-1; resume with `geusemaker deploy a-name-of-thirty-characters-xx`",
				},
				{Name: "try", Status: "stopped", Region: "us-east-1", Machine: "t3.large spot", Age: "14d", Monthly: "$9.40", Sandbox: true},
			})
		},
		"list-empty": func(s Screen) string { return ListView(s, nil) },
		"inspect":    func(s Screen) string { return InspectView(s, exampleInspect()) },
		"destroy": func(s Screen) string {
			return DestroyView(s, DestroyInput{
				Name: "demo", Took: 70 * time.Second, Proven: true,
				Deleted: [][2]string{{"compute/instance", "i-0a1b2c3d4e5f60718"}, {"network/public-a", "subnet-0123456789abcdef0"}, {"network/vpc", "vpc-0123456789abcdef0"}},
				Kept: []Left{
					{"storage/files", "fs-0123456789abcdef0", "it holds your data", money, true},
					{"storage/data", "vol-0123456789abcdef0", "it holds your data", money, false},
				},
			})
		},
		"destroy-all": func(s Screen) string {
			return DestroyView(s, DestroyInput{Name: "demo", Took: 70 * time.Second, Proven: true, Sandbox: true, Deleted: [][2]string{{"network/vpc", "vpc-1"}}})
		},
		"destroy-part": func(s Screen) string {
			return DestroyView(s, DestroyInput{
				Name: "demo", Took: 70 * time.Second,
				Remaining: []Left{{"network/vpc", "vpc-0123456789abcdef0", "DependencyViolation: something that is not ours still uses it", 0, false}},
			})
		},
		"error": func(s Screen) string {
			return ErrorView(s, "compute/instance: there is no capacity for m7i.large in any zone of us-east-1\nand none on demand",
				[]string{"try another type: geusemaker deploy demo --instance-type m6i.large", "see what is there: geusemaker offers"},
				[][2]string{{"code", "InsufficientInstanceCapacity"}, {"request", "b1946ac9-2492-4d23-8a7b-0123456789ab"}})
		},
	}
}

func TestCostInWords(t *testing.T) {
	c := exampleCost()
	c.ToDate, c.SavingPercent = 2*stack.Dollar, 0
	c.Components[5].Guess, c.Components[6].Guess = false, false
	const want = "$0.0668 an hour, $1.60 a day, $48.75 a month; $2.00 so far."
	section := CostSection(c, epoch)
	if got := section.Notes; len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want only %q", got, want)
	}
}

func TestViews(t *testing.T) {
	for name, view := range views() {
		for _, width := range []int{60, 80, 120} {
			t.Run(fmt.Sprint(name, width), func(t *testing.T) {
				got := view(Screen{Width: width})
				golden(t, fmt.Sprintf("view/%s-%d.txt", name, width), got)
				fits(t, got, width)
			})
		}
	}
}

// Somebody who hears a view gets each row as a sentence, with no sign that only the eye understands.
func TestViewsForScreenReaders(t *testing.T) {
	for name, view := range views() {
		got := view(Screen{Accessible: true})
		golden(t, "view/"+name+"-accessible.txt", got)
		for _, r := range got {
			if r > unicode.MaxASCII {
				t.Errorf("%s holds %q:\n%s", name, r, got)
				break
			}
		}
	}
}

// On a pipe nothing is cut, dropped or coloured; with colour a view says the same.
func TestViewsOnPipesAndInColour(t *testing.T) {
	for name, view := range views() {
		pipe := view(Screen{})
		fits(t, pipe, 1000)
		if strings.Contains(pipe, "…") {
			t.Errorf("%s is cut on a pipe:\n%s", name, pipe)
		}
		for _, width := range []int{0, 80} {
			colour := view(Screen{Width: width, Color: true})
			if name != "list-empty" && !strings.Contains(colour, "\x1b[") {
				t.Errorf("%s has no colour", name)
			}
			if got, want := trimLines(ansi.Strip(colour)), view(Screen{Width: width}); got != want {
				t.Errorf("%s says something else in colour:\n%s\nwant:\n%s", name, got, want)
			}
		}
	}
}

// No price may be missing, however narrow the screen, and what is guessed is marked.
func TestPlanShowsTheWholePrice(t *testing.T) {
	for _, width := range []int{60, 80, 120} {
		got := PlanView(Screen{Width: width}, examplePlanInput())
		for _, want := range []string{"$29.20", "$3.65", "~$3.00", "~$1.50", "~$48.75", "46% saved", "~ rests on", "warning: "} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is missing at width %d", want, width)
			}
		}
		for _, step := range examplePlan().Steps {
			_, name, _ := strings.Cut(string(step.Key), "/")
			if !strings.Contains(got, name) {
				t.Errorf("step %s is missing at width %d", step.Key, width)
			}
		}
	}
}
