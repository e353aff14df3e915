package interview

import (
	"slices"
	"strconv"
	"strings"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// reuseIDs are the questions whose answers lie in one region and VPC.
func reuseIDs() []string {
	return []string{"vpc_id", "subnet_id", "security_group_id", "efs_id", "add_missing_rules", "key_pair", "ssh_cidr"}
}

// reuseQueries offer what the account has already.
func reuseQueries() []Query {
	inVPC := func(c stack.Config) bool { return c.VPCID != "" }
	return []Query{
		{
			ID: "vpc_id", heading: "network", text: "A network of its own, or one that you have?", deep: true, free: true, Reads: true,
			falls:   []string{"subnet_id", "security_group_id", "efs_id", "add_missing_rules"},
			explain: "A VPC of its own costs nothing and is removed with the deployment. In one of yours nothing is changed: its subnets, routes and rules are used as they are, so they must be fit.",
			options: orReuse("a new VPC", func(r *discovery.Region, n discovery.Need) []term.Option {
				n.VPC = ""
				return offeredOptions(r.VPCs, func(v discovery.VPC) (discovery.Resource, discovery.Fit) { return v.Resource, r.FitVPC(v, n) },
					func(v discovery.VPC) string {
						about := []string{r.NameOfVPC(v.ID)}
						for _, block := range v.CIDRs {
							about = append(about, block.String())
						}
						return strings.Join(about, " ")
					})
			}),
			usual: nothing,
		},
		{
			ID: "subnet_id", heading: "network", text: "In which of its subnets?", deep: true, free: true, Reads: true, applies: inVPC,
			explain: "The machine stands there. A public subnet has a route to an internet gateway; a private one, through a NAT gateway, is enough for access by tunnel.",
			options: orReuse("let geusemaker choose", func(r *discovery.Region, n discovery.Need) []term.Option {
				n.Subnet = ""
				return offeredOptions(r.SubnetsOf(n.VPC), func(s discovery.Subnet) (discovery.Resource, discovery.Fit) { return s.Resource, r.FitSubnet(s, n) },
					func(s discovery.Subnet) string { return strings.Join([]string{s.Name, s.Zone, s.Out.Via}, " ") })
			}),
			usual: nothing,
		},
		{
			ID: "security_group_id", heading: "network", text: "A security group of its own, or one that you have?", deep: true, free: true, Reads: true, applies: inVPC,
			explain: "One of its own has exactly the rules that are needed. One of yours must let in what people need and let out what the machine needs.",
			options: orReuse("a new security group", func(r *discovery.Region, n discovery.Need) []term.Option {
				n.Group = ""
				return offeredOptions(r.Within(n.VPC).Groups, func(g discovery.SecurityGroup) (discovery.Resource, discovery.Fit) {
					return g.Resource, r.FitGroup(g, n)
				},
					func(g discovery.SecurityGroup) string { return g.Name })
			}),
			usual: nothing,
		},
		{
			ID: "efs_id", heading: "data", text: "A file system of its own, or one that you have?", deep: true, free: true, Reads: true, applies: inVPC,
			explain: "Models and files of n8n lie on it. One of yours is mounted and never deleted.",
			options: orReuse("a new file system", func(r *discovery.Region, n discovery.Need) []term.Option {
				n.FileSystem = ""
				return offeredOptions(r.FileSystems, func(f discovery.FileSystem) (discovery.Resource, discovery.Fit) {
					return f.Resource, r.FitFileSystem(f, n)
				},
					func(f discovery.FileSystem) string { return f.Name })
			}),
			usual: nothing,
		},
		{
			ID: "add_missing_rules", heading: "network", text: "May rules be added to your security groups where some are missing?", deep: true, Reads: true,
			applies: func(c stack.Config) bool { return c.SecurityGroupID != "" || c.EFSID != "" },
			explain: "Each rule is shown in the plan, tagged, recorded, and removed again by destroy. Without it a group that lacks rules is refused, with the list of them.",
			options: fixed(term.Option{Value: "false", Label: "no", About: "refuse when rules are missing"}, term.Option{Value: "true", Label: "yes", About: "add them, and remove them on destroy"}),
			usual:   lacksRules,
		},
		{
			ID: "key_pair", heading: "access", text: "A key pair for SSH?", deep: true, free: true, Reads: true,
			explain: "You need none: `geusemaker logs` and `geusemaker connect` work without SSH. With one you can log in from the addresses that you allow.",
			options: orReuse("none", func(r *discovery.Region, n discovery.Need) []term.Option {
				var all []term.Option
				for _, k := range r.KeyPairs {
					all = append(all, term.Option{Value: k.Name, About: k.Type})
				}
				return all
			}),
			usual: nothing,
		},
		{
			ID: "ssh_cidr", heading: "access", text: "From where may SSH be used?", deep: true, free: true,
			applies: func(c stack.Config) bool { return c.KeyPair != "" },
			explain: "my-ip opens port 22 to the address from which you come now; none leaves it closed.",
			options: fixed(term.Option{Value: stack.MyIP, About: "your own address"}, term.Option{Value: stack.Nowhere, About: "nowhere"}),
		},
	}
}

func nothing(stack.Config, Knowledge) string { return "" }

// lacksRules is yes when what was chosen lacks rules, no otherwise.
func lacksRules(c stack.Config, k Knowledge) string {
	if k.Region == nil {
		return "false"
	}
	n := needOf(c, k)
	group, _ := k.Region.Group(c.SecurityGroupID)
	files, _ := k.Region.FileSystem(c.EFSID)
	addable := c.SecurityGroupID != "" && k.Region.FitGroup(group, n).Addable() || c.EFSID != "" && k.Region.FitFileSystem(files, n).Addable()
	return strconv.FormatBool(addable)
}

// needOf is what a configuration asks of what it reuses, as far as it is known.
func needOf(c stack.Config, k Knowledge) discovery.Need {
	facts, _ := k.facts(c)
	return discovery.NeedOf(c, facts.CallerCIDR, k.Zones)
}

// mostOptions bounds how many existing resources are offered: a screen of 24 lines holds the question, too. Others can be
// typed.
const mostOptions = 6

// reusable are the options of what the region has, after the one that makes something new.
func orReuse(fresh string, offer func(*discovery.Region, discovery.Need) []term.Option) func(stack.Config, Knowledge) []term.Option {
	return func(c stack.Config, k Knowledge) []term.Option {
		options := []term.Option{{Value: "", Label: fresh, About: k.Why}}
		if k.Region == nil {
			return options
		}
		return append(options, offer(k.Region, needOf(c, k))...)
	}
}

// offeredOptions are the fit ones first, then those that lack rules only, and of the others why they are not.
func offeredOptions[T any](all []T, judge func(T) (discovery.Resource, discovery.Fit), about func(T) string) []term.Option {
	var fit, addable, unfit []term.Option
	for _, one := range all {
		r, verdict := judge(one)
		o := term.Option{Value: r.ID, About: about(one)}
		switch {
		case verdict.OK():
			fit = append(fit, o)
		case verdict.Addable():
			o.About += ": " + verdict.Problems[0].Text
			addable = append(addable, o)
		default:
			o.Unfit = strings.TrimPrefix(r.Name+": "+verdict.Problems[0].Text, ": ")
			unfit = append(unfit, o)
		}
	}
	offered := slices.Concat(fit, addable, unfit)
	return slices.Clip(offered[:min(len(offered), mostOptions)])
}
