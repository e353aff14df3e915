package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
)

// completionTime is how long somebody who pressed Tab waits for AWS at most.
const completionTime = 2 * time.Second

// choice is one value that a shell offers, and what it is.
type choice struct{ value, about string }

// reusable tells for each flag that names something of the user's what must be read, and what may be named.
func reusable() map[string]struct {
	scope
	choices func(*discovery.Region, discovery.Need) []choice
} {
	networks := scope{kinds: []discovery.Kind{discovery.Networks}}
	vpcs := func(r *discovery.Region, n discovery.Need) []choice {
		n.VPC = "" // it is the one that is being chosen
		return choices(r.VPCs, func(v discovery.VPC) (discovery.Resource, discovery.Fit) { return v.Resource, r.FitVPC(v, n) },
			func(v discovery.VPC) string { return strings.Join(append(cidrs(v.CIDRs), r.NameOfVPC(v.ID)), " ") })
	}
	type row = struct {
		scope
		choices func(*discovery.Region, discovery.Need) []choice
	}
	return map[string]row{
		"vpc":    {networks, vpcs},
		"vpc-id": {networks, vpcs},
		"subnet-id": {networks, func(r *discovery.Region, n discovery.Need) []choice {
			n.Subnet = ""
			return choices(subnetsInOrder(r), func(s discovery.Subnet) (discovery.Resource, discovery.Fit) { return s.Resource, r.FitSubnet(s, n) },
				func(s discovery.Subnet) string { return strings.Join([]string{s.Name, s.Zone, s.Out.Via}, " ") })
		}},
		"security-group-id": {scope{[]discovery.Kind{discovery.Networks, discovery.Groups}, (*discovery.Region).GroupIDs}, func(r *discovery.Region, n discovery.Need) []choice {
			n.Group = ""
			return choices(r.Groups, func(g discovery.SecurityGroup) (discovery.Resource, discovery.Fit) {
				return g.Resource, r.FitGroup(g, n)
			},
				func(g discovery.SecurityGroup) string { return g.Name + " of " + r.NameOfVPC(g.VPC) })
		}},
		"efs-id": {scope{[]discovery.Kind{discovery.Networks, discovery.Groups, discovery.Files}, (*discovery.Region).GuardIDs}, func(r *discovery.Region, n discovery.Need) []choice {
			n.FileSystem = ""
			return choices(r.FileSystems, func(f discovery.FileSystem) (discovery.Resource, discovery.Fit) {
				return f.Resource, r.FitFileSystem(f, n)
			},
				func(f discovery.FileSystem) string { return f.Name })
		}},
		flagMountGroup: {scope{kinds: []discovery.Kind{discovery.Networks, discovery.Groups, discovery.Files}}, mountGroups},
		"key-pair": {scope{kinds: []discovery.Kind{discovery.Keys}}, func(r *discovery.Region, n discovery.Need) []choice {
			var all []choice
			for _, k := range r.KeyPairs {
				all = append(all, choice{k.Name, k.Type})
			}
			return all
		}},
	}
}

// mountGroups are the security groups of the mount targets of the file system that is named, or of all.
func mountGroups(r *discovery.Region, n discovery.Need) []choice {
	var offered []choice
	for _, f := range r.FileSystems {
		for _, t := range f.Targets {
			for _, id := range t.Groups {
				group, _ := r.Group(id)
				one := choice{id, group.Name + " of " + f.Name}
				if (n.FileSystem == "" || n.FileSystem == f.ID) && !slices.Contains(offered, one) {
					offered = append(offered, one)
				}
			}
		}
	}
	return offered
}

// choices are what is fit, or would be with more rules.
func choices[T any](all []T, judge func(T) (discovery.Resource, discovery.Fit), about func(T) string) []choice {
	var offered []choice
	for _, one := range all {
		r, fit := judge(one)
		if fit.OK() || fit.Addable() {
			offered = append(offered, choice{r.ID, strings.TrimSpace(about(one))})
		}
	}
	return offered
}

// completeReuse lets the flags of all commands that name something of the user's be completed from the account.
func (a *app) completeReuse(root *cobra.Command, flags []string) {
	for _, cmd := range root.Commands() {
		a.completeReuse(cmd, flags)
	}
	for _, flag := range flags {
		if root.Flags().Lookup(flag) != nil {
			_ = root.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
				return a.offered(cmd, flag), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
			})
		}
	}
}

// offered are the values of a flag that the account has. Whatever goes wrong, nobody who pressed Tab wants to read of it.
func (a *app) offered(cmd *cobra.Command, flag string) []string {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	if a.prepare(cmd) != nil || a.global.region == allRegions {
		return nil
	}
	c, err := a.loadConfig(cmd, nil)
	if err != nil || a.region(ctx, &c) != nil {
		return nil
	}
	if vpc := cmd.Flags().Lookup("vpc"); vpc != nil && vpc.Changed {
		_ = c.Set("vpc_id", vpc.Value.String(), stack.Source{Kind: "flag", From: "--vpc"})
	}
	account, err := a.openAccount(ctx, c.Region)
	if err != nil {
		return nil
	}
	source, reader := reusable()[flag], account.Discovery()
	region, err := reader.Read(ctx, source.kinds...)
	if err != nil {
		return nil
	}
	// The user's own address is not asked for: that would be another service to wait for.
	need := discovery.NeedOf(c, "", nil)
	if reader.Complete(ctx, region, need, source.judgedIn(region, need.VPC)...) != nil {
		return nil
	}
	var lines []string
	for _, one := range source.choices(region, need) {
		lines = append(lines, one.value+"\t"+one.about)
	}
	return lines
}
