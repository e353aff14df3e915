package interview

import (
	"fmt"
	"slices"
	"strings"

	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// queries are the questions in their order. Those of the quick path are enough for a good deployment; what they leave out has
// a default that is meant.
func queries() []Query {
	return slices.Concat(firstQueries(), machineQueries(), accessQueries(), reuseQueries(), dataQueries())
}

func firstQueries() []Query {
	return []Query{
		{
			ID: pathID, heading: "how much to ask", text: "How much do you want to decide yourself?",
			explain: "Quick asks for what nobody can guess: a name, a region, what the machine is for, who reaches it. Advanced asks for the machine, the network, existing resources to use and the data as well. What is not asked takes its default; you can go back at any time, and nothing is made before you have seen the plan and its price and said yes.",
			options: fixed(term.Option{Value: pathQuick, About: "a few questions, good defaults"}, term.Option{Value: pathAdvanced, About: "everything, with what you have already"}),
			usual:   func(stack.Config, Knowledge) string { return pathQuick },
		},
		{
			ID: "name", heading: "name", text: "What shall the deployment be called?", free: true,
			explain: "The name stands in the names of everything that is made in your account, and in the commands with which you look at it and remove it.",
			usual: func(_ stack.Config, k Knowledge) string {
				if slices.Contains(k.Names, "demo") {
					return ""
				}
				return "demo"
			},
			check: func(name string, k Knowledge) string {
				if slices.Contains(k.Names, name) {
					return name + " exists already: choose another name, or leave with q and go on with `geusemaker deploy " + name + "`"
				}
				return ""
			},
		},
		{
			ID: "region", heading: "region", text: "In which region of AWS?", free: true, falls: reuseIDs(),
			explain: "Choose one near to the people who use it: pages and answers travel there and back. Prices differ by up to a third, and not every region sells every machine. Data stays in the region.",
			options: func(c stack.Config, _ Knowledge) []term.Option {
				return regionOptions(c.Region)
			},
			check: func(region string, k Knowledge) string {
				if near := stack.Nearest(region, k.Regions); !slices.Contains(k.Regions, region) && near != "" {
					return fmt.Sprintf("there is no region %q: did you mean %s?", region, near)
				}
				return ""
			},
		},
	}
}

// regionOptions offers the region that is set and one of each part of the world; every other can be typed.
func regionOptions(set string) []term.Option {
	all := []term.Option{
		{Value: "us-east-1", About: "N. Virginia: most machines, lowest prices"},
		{Value: "us-west-2", About: "Oregon"},
		{Value: "eu-central-1", About: "Frankfurt"},
		{Value: "eu-west-1", About: "Ireland"},
		{Value: "ap-southeast-2", About: "Sydney"},
		{Value: "ap-northeast-1", About: "Tokyo"},
		{Value: "ap-south-1", About: "Mumbai"},
	}
	if i := slices.IndexFunc(all, func(o term.Option) bool { return o.Value == set }); i >= 0 {
		return slices.Insert(slices.Delete(slices.Clone(all), i, i+1), 0, all[i])
	}
	return slices.Insert(all, 0, term.Option{Value: set, About: "of your AWS settings"})
}

func machineQueries() []Query {
	return []Query{
		{
			ID: "workload", heading: "machine", text: "Shall models run on a GPU?",
			explain: "On the processor, models of up to about 8 billion parameters answer at reading speed or slower. A GPU answers many times as fast and costs many times as much. n8n, Qdrant and Crawl4AI need none.",
			options: pricedOptions("workload", term.Option{Value: stack.WorkloadCPU, Label: "no", About: "enough for automation, search and small models"},
				term.Option{Value: stack.WorkloadGPU, Label: "yes", About: "for larger models or many users"}),
			usual:    func(c stack.Config, _ Knowledge) string { return c.WorkloadOrDefault() },
			compares: []string{stack.WorkloadCPU, stack.WorkloadGPU},
		},
		{
			ID: "preference", heading: "machine", text: "What matters most when the machine is chosen?",
			explain: "Of all machines that fit, the offers are ranked by this; the launch goes down the ranking until AWS has room. `geusemaker offers` shows it.",
			options: pricedOptions("preference", term.Option{Value: "balanced", About: "power for its price, in zones that mostly have it"}, term.Option{Value: "lowest-cost", About: "the lowest price"},
				term.Option{Value: "highest-availability", About: "what is interrupted least"}, term.Option{Value: "performance", About: "the most power"}),
		},
		{
			ID: "market", heading: "machine", text: "Spare capacity at a lower price, or the full price?", deep: true,
			explain: "Spot machines cost a third to a half, and AWS may take them back with two minutes' notice; the data stays. spot-first takes one and falls back to the full price when there is none.",
			options: pricedOptions("market", term.Option{Value: stack.MarketSpotFirst, About: "spot, or else on-demand"}, term.Option{Value: stack.MarketOnDemand, About: "never interrupted"},
				term.Option{Value: stack.MarketSpot, About: "spot or nothing"}),
		},
		{
			ID: "architecture", heading: "machine", text: "Which processor?", deep: true,
			explain: "arm64 (AWS Graviton) costs about a fifth less for the same power; all services run on both. Few GPU machines have it.",
			options: pricedOptions("architecture", term.Option{Value: "x86_64", About: "Intel or AMD"}, term.Option{Value: "arm64", About: "Graviton"}),
			falls:   []string{"instance_type"}, compares: []string{"x86_64", "arm64"},
		},
		{
			ID: "instance_type", heading: "machine", text: "Which machine?", deep: true, free: true, options: machineOptions,
			explain: "auto takes the best offer there is when you deploy, and the next when AWS has no room. A type that you name is the only one that is tried.",
		},
		{
			ID: "os_type", heading: "machine", text: "Which operating system?", deep: true,
			explain: "You need not care unless you log in: everything runs in containers. `geusemaker images` shows which image it is.",
			options: fixed(term.Option{Value: "ubuntu-24.04"}, term.Option{Value: "ubuntu-22.04"}, term.Option{Value: "amazon-linux-2023"}),
		},
	}
}

// machineOptions are the best types of the offers, with their price, after auto.
func machineOptions(c stack.Config, k Knowledge) []term.Option {
	anyType := with(c, "instance_type", stack.Auto)
	options := []term.Option{{Value: stack.Auto, About: "the best offer when you deploy" + priceNote(anyType, k)}}
	facts, _ := k.facts(c)
	for _, o := range offersOf(anyType, facts) {
		if len(options) > 6 || slices.ContainsFunc(options, func(known term.Option) bool { return known.Value == o.Type }) {
			continue
		}
		about := fmt.Sprintf("%d vCPU, %s", o.VCPUs, term.Memory(o.MemoryMiB)) + priceNote(with(c, "instance_type", o.Type), k)
		options = append(options, term.Option{Value: o.Type, About: about})
	}
	return options
}

func accessQueries() []Query {
	direct := func(c stack.Config) bool { return c.Access == stack.AccessDirect }
	return []Query{
		{
			ID: "access", heading: "access", text: "How do people reach the services?",
			explain: "direct: the services have a public address, with TLS and logins, and only the addresses that you allow get through. tunnel: nothing is open at all; `geusemaker connect` brings the services to this computer through AWS Systems Manager. Whoever uses them needs AWS credentials then.",
			options: fixed(term.Option{Value: stack.AccessDirect, About: "open to your own address only, unless you say more"}, term.Option{Value: stack.AccessTunnel, About: "nothing open; through AWS, for those with credentials"}),
			falls:   reuseIDs(),
		},
		{
			ID: "allow_cidrs", heading: "access", text: "From which addresses?", deep: true, free: true, applies: direct,
			explain: "my-ip is the address from which you come now. Others are ranges such as 203.0.113.0/24, separated by commas. The whole internet needs --public on the command line.",
			options: fixed(term.Option{Value: stack.MyIP, About: "your own address, as AWS sees it"}),
		},
		{
			ID: "https", heading: "access", text: "Which certificate?", deep: true, applies: direct,
			explain: "internal: a certificate of its own, which browsers warn of until you trust it. acme: one of Let's Encrypt for a name of yours that points to the machine. off: no encryption, for tests only.",
			options: fixed(term.Option{Value: stack.HTTPSInternal, About: "its own; nothing to prepare"}, term.Option{Value: stack.HTTPSACME, About: "Let's Encrypt, for a host name of yours"}, term.Option{Value: stack.HTTPSOff, About: "none"}),
		},
		{
			ID: "egress", heading: "access", text: "What may the machine reach?", deep: true,
			explain: "open lets it reach everything, which web crawls and workflows mostly need. restricted lets out HTTPS, HTTP, time and its file system only.",
			options: fixed(term.Option{Value: stack.EgressOpen, About: "everything"}, term.Option{Value: stack.EgressRestricted, About: "HTTPS, HTTP, time and its file system"}),
		},
		{
			ID: "domain", heading: "access", text: "For which host name?", deep: true, free: true,
			applies: func(c stack.Config) bool { return direct(c) && c.HTTPS == stack.HTTPSACME },
			explain: "A name whose address record you can set: it must point to the machine before the certificate can be had.",
		},
	}
}

func dataQueries() []Query {
	return []Query{
		{
			ID: "models", heading: "data", text: "Which models shall Ollama load?", free: true,
			explain: "Names from ollama.com/library, separated by commas. They are loaded while the machine starts, and can be loaded later at any time. Each takes its size of memory when it answers.",
			options: fixed(term.Option{Value: "", Label: "none yet"}, term.Option{Value: "llama3.2:3b", About: "2 GB, talks"}, term.Option{Value: "nomic-embed-text", About: "0.3 GB, for search"},
				term.Option{Value: "llama3.2:3b,nomic-embed-text", About: "both"}),
		},
		{
			ID: "data_gib", heading: "data", text: "How large a disk for the databases, in GiB?", deep: true, free: true,
			explain: "PostgreSQL and Qdrant live on it. A million vectors take about 6 GiB. It can grow later, not shrink.",
			options: pricedOptions("data_gib", term.Option{Value: "40"}, term.Option{Value: "100"}, term.Option{Value: "250"}),
		},
		{
			ID: "backup", heading: "data", text: "Shall the data be backed up daily?", deep: true,
			explain: "AWS Backup keeps the file system, with dumps of the databases on it, for 35 days. It is billed by size.",
			options: pricedOptions("backup", term.Option{Value: "daily", Label: "yes, daily"}, term.Option{Value: "off", Label: "no"}),
		},
		{
			ID: "budget_monthly", heading: "limits", text: "What may it cost a month at most, in USD?", deep: true, free: true,
			explain: "A deploy that would cost more is refused before anything is made. It is checked against the estimate, not against the bill.",
			options: fixed(term.Option{Value: "0", Label: "no limit"}),
		},
	}
}

// fixed are options that depend on nothing.
func fixed(options ...term.Option) func(stack.Config, Knowledge) []term.Option {
	return func(stack.Config, Knowledge) []term.Option { return options }
}

// pricedOptions are options that each change the price, which is told where it is known.
func pricedOptions(key string, options ...term.Option) func(stack.Config, Knowledge) []term.Option {
	return func(c stack.Config, k Knowledge) []term.Option {
		priced := slices.Clone(options)
		for i, o := range priced {
			priced[i].About = strings.TrimPrefix(o.About+priceNote(with(c, key, o.Value), k), ", ")
		}
		return priced
	}
}

// with is a configuration with another value of one key.
func with(c stack.Config, key, value string) stack.Config {
	_ = c.Set(key, value, stack.Source{Kind: "answer"}) // a value of a closed set
	return c
}
