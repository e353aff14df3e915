package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
)

// discoverOptions are the flags of discover that are no keys of the configuration.
type discoverOptions struct {
	vpc     string
	fitOnly bool
}

func newDiscover(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "discover",
		Short: "Find what of your account could be reused, and whether it is fit",
		Long: `Discover lists what is in the account that a deployment could use instead of making its own, with its details and tags,
and says of each whether it is fit or why not. It changes nothing.

What is fit depends on the deployment: --access tunnel needs no way in from the internet, and the rules that a security group
must have follow from --allow-cidrs. With --vpc, --subnet-id, --security-group-id or --efs-id the rest must go with what is
named.`,
		Example: `  geusemaker discover subnets --fit
  geusemaker discover security-groups --vpc vpc-0123456789abcdef0
  geusemaker discover vpcs --region all --access tunnel -o json`,
	}
	networks := scope{kinds: []discovery.Kind{discovery.Networks}}
	cmd.AddCommand(
		newDiscoverKind(a, "vpcs", "VPCs, with their gateways, DNS attributes, peers and fit subnets",
			networks, a.vpcsView, vpcFound, func(r *discovery.Region) []discovery.VPC { return r.VPCs }),
		newDiscoverKind(a, "subnets", "Subnets, with their free addresses and their way to the internet",
			networks, a.subnetsView, subnetFound, subnetsInOrder),
		newDiscoverKind(a, "security-groups", "Security groups, with the rules that they lack",
			scope{[]discovery.Kind{discovery.Networks, discovery.Groups, discovery.Files}, (*discovery.Region).GroupIDs}, a.groupsView, groupFound,
			func(r *discovery.Region) []discovery.SecurityGroup { return r.Groups }),
		newDiscoverKind(a, "file-systems", "EFS file systems, with their mount targets",
			scope{[]discovery.Kind{discovery.Networks, discovery.Groups, discovery.Files}, (*discovery.Region).GuardIDs}, a.fileSystemsView, fileSystemFound,
			func(r *discovery.Region) []discovery.FileSystem { return r.FileSystems }),
		newDiscoverKind(a, "key-pairs", "EC2 key pairs, for SSH",
			scope{kinds: []discovery.Kind{discovery.Keys}}, a.keyPairsView, keyPairFound, func(r *discovery.Region) []discovery.KeyPair { return r.KeyPairs }),
		newDiscoverKind(a, "load-balancers", "Load balancers",
			scope{kinds: []discovery.Kind{discovery.Networks, discovery.Balancers}}, a.balancersView, balancerFound,
			func(r *discovery.Region) []discovery.LoadBalancer { return r.LoadBalancers }),
	)
	return cmd
}

// subnetsInOrder are the subnets by VPC and zone.
func subnetsInOrder(r *discovery.Region) []discovery.Subnet {
	return slices.SortedStableFunc(slices.Values(r.Subnets), func(x, y discovery.Subnet) int {
		return cmp.Or(cmp.Compare(x.VPC, y.VPC), cmp.Compare(x.Zone, y.Zone))
	})
}

// needKeys are the keys on which it depends what is fit.
func needKeys() []string {
	return []string{"access", "allow_cidrs", "public", "ssh_cidr", "key_pair", "https", "domain", "instance_type", "subnet_id", "security_group_id", "efs_id"}
}

// found is a document of one thing that was found.
type found interface{ base() foundDoc }

func (d foundDoc) base() foundDoc { return d }

// scope is what must be read to judge one kind.
type scope struct {
	kinds  []discovery.Kind
	groups func(*discovery.Region) []string // whose rules are judged; nil: none
}

// judgedIn are the security groups whose rules are judged, of one VPC if one is named.
func (s scope) judgedIn(region *discovery.Region, vpc string) []string {
	if s.groups == nil {
		return nil
	}
	if vpc != "" {
		region = region.Within(vpc)
	}
	return s.groups(region)
}

// newDiscoverKind makes the command that lists one kind: what it must read, how an item is judged and shown.
func newDiscoverKind[Item any, Doc found](
	a *app, name, short string, what scope, view func(discoverDoc[Doc]) string,
	judge func(*discovery.Region, Item, discovery.Need) Doc, items func(*discovery.Region) []Item,
) *cobra.Command {
	var o discoverOptions
	cmd := &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		Long:    short + ".\n\nFit ones come first; of the others it says what stands against them. `geusemaker help discover` tells what that depends on.",
		Example: "  geusemaker discover " + name + " --fit\n  geusemaker discover " + name + " --region all -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			seen, err := a.discovered(ctx, cmd, o, what)
			if err != nil {
				return err
			}
			doc := discoverDoc[Doc]{Regions: seen.names, Access: seen.access, Found: []Doc{}, Warnings: orEmpty(seen.warnings), Sandbox: a.global.sandbox}
			for _, r := range seen.regions {
				shown := r.Region
				if o.vpc != "" {
					shown = shown.Within(o.vpc)
				}
				for _, item := range items(shown) {
					if d := judge(r.Region, item, r.need); d.base().Fit || !o.fitOnly {
						doc.Found = append(doc.Found, d)
					}
				}
			}
			slices.SortStableFunc(doc.Found, func(x, y Doc) int { return byFit(x.base(), y.base()) })
			return a.print(doc, func() string { return view(doc) })
		},
	}
	addConfigFlags(cmd, needKeys()...)
	if !slices.Equal(what.kinds, []discovery.Kind{discovery.Keys}) {
		cmd.Flags().StringVar(&o.vpc, "vpc", "", "only what lies in the VPC with this `ID`, and goes with it")
	}
	cmd.Flags().BoolVar(&o.fitOnly, "fit", false, "only what is fit")
	return cmd
}

// byFit puts the fit ones first, then those that lack only rules.
func byFit(x, y foundDoc) int {
	rank := func(d foundDoc) int {
		switch {
		case d.Fit:
			return 0
		case d.Addable:
			return 1
		default:
			return 2
		}
	}
	return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x.Region, y.Region), cmp.Compare(x.Name, y.Name))
}

// seen is what was read, and what it is judged for.
type seen struct {
	names    []string // of the regions
	access   string
	regions  []seenRegion
	warnings []string
}

type seenRegion struct {
	*discovery.Region
	need discovery.Need
}

// regionsAtOnce bounds how many regions are read at a time.
const regionsAtOnce = 8

// discovered reads what is to be judged in the regions that are asked for, all at once. Of several regions one that cannot be read is a
// warning.
func (a *app) discovered(ctx context.Context, cmd *cobra.Command, o discoverOptions, what scope) (*seen, error) {
	c, err := a.discoverConfig(ctx, cmd, o)
	if err != nil {
		return nil, err
	}
	first, err := a.openAccount(ctx, c.Region)
	if err != nil {
		return nil, err
	}
	names := []string{c.Region}
	if a.global.region == allRegions {
		if names, err = first.Regions(ctx); err != nil {
			return nil, err
		}
	}
	caller := a.callerOf(ctx, first, c)
	all := make([]seenRegion, len(names))
	errs := make([]error, len(names))
	room := make(chan struct{}, regionsAtOnce)
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			all[i], errs[i] = readRegion(ctx, first.In(name).Discovery(), c, caller, o.vpc, what)
		})
	}
	wg.Wait()
	_, warning := caller()
	out := &seen{names: names, access: c.Access, warnings: warning}
	for i, err := range errs {
		switch {
		case err != nil && (len(names) == 1 || ctx.Err() != nil):
			return nil, err
		case err != nil:
			message, _ := words(err)
			out.warnings = append(out.warnings, fmt.Sprintf("region %s could not be read: %s", names[i], message))
		default:
			out.regions = append(out.regions, all[i])
			out.warnings = append(out.warnings, all[i].Warnings...)
		}
	}
	if len(out.regions) == 0 {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

// readRegion reads what is to be judged in one region, or in one VPC of it.
func readRegion(ctx context.Context, reader *discovery.Reader, c stack.Config, caller func() (string, []string), vpc string, what scope) (seenRegion, error) {
	region, err := reader.Read(ctx, what.kinds...)
	if err != nil {
		return seenRegion{}, err
	}
	zones, err := reader.ZonesSelling(ctx, c.InstanceType)
	if err != nil {
		return seenRegion{}, err
	}
	address, _ := caller()
	out := seenRegion{region, discovery.NeedOf(c, address, zones)}
	if err := chosenExist(region, out.need); err != nil {
		return out, err
	}
	return out, reader.Complete(ctx, region, out.need, what.judgedIn(region, vpc)...)
}

// discoverConfig is what the things that are found are judged for.
func (a *app) discoverConfig(ctx context.Context, cmd *cobra.Command, o discoverOptions) (stack.Config, error) {
	c, err := a.loadConfig(cmd, nil)
	if err != nil {
		return c, err
	}
	if c.Region == allRegions {
		if o.vpc != "" {
			return c, usage("--vpc: a VPC lies in one region; name it with --region")
		}
		c.Region = ""
	}
	if o.vpc != "" {
		if err := c.Set("vpc_id", o.vpc, stack.Source{Kind: "flag", From: "--vpc"}); err != nil {
			return c, err
		}
	}
	if err := a.region(ctx, &c); err != nil {
		return c, err
	}
	checked := c
	checked.VPCID, checked.SubnetID, checked.SecurityGroupID, checked.EFSID, checked.AddMissingRules = "", "", "", "", false // whether they exist will be seen
	return c, validConfig(checked)
}

// chosenExist refuses what was named and is not there.
func chosenExist(r *discovery.Region, n discovery.Need) error {
	missing := func(what, id string) error {
		return &hinted{
			err: fmt.Errorf("%s has no %s %s", r.Name, what, id), code: exitNotFound, kind: "not-found",
			hints: []string{"look at --region and --profile, or list them without naming one"},
		}
	}
	if _, known := r.VPC(n.VPC); n.VPC != "" && r.VPCs != nil && !known {
		return missing("VPC", n.VPC)
	}
	if _, known := r.Subnet(n.Subnet); n.Subnet != "" && r.Subnets != nil && !known {
		return missing("subnet", n.Subnet)
	}
	if _, known := r.Group(n.Group); n.Group != "" && r.Groups != nil && !known {
		return missing("security group", n.Group)
	}
	if _, known := r.FileSystem(n.FileSystem); n.FileSystem != "" && r.FileSystems != nil && !known {
		return missing("file system", n.FileSystem)
	}
	return nil
}

// callerOf finds the address that my-ip stands for, once and meanwhile, if the configuration has it. Where it cannot be found, a warning
// says that nothing is asked of the rules for it.
func (a *app) callerOf(ctx context.Context, account *cloud.Account, c stack.Config) func() (string, []string) {
	if !(c.Access == stack.AccessDirect && slices.Contains(c.AllowCIDRs, stack.MyIP)) && c.SSHCIDR != stack.MyIP {
		return func() (string, []string) { return "", nil }
	}
	type answer struct {
		address  string
		warnings []string
	}
	found := sync.OnceValue(func() answer {
		address, err := account.CallerAddress(ctx)
		if err != nil {
			return answer{"", []string{"your own address is not known (" + strings.TrimSpace(err.Error()) + "), so rules for it are not asked for; name it with --allow-cidrs"}}
		}
		return answer{address, nil}
	})
	go found()
	return func() (string, []string) { got := found(); return got.address, got.warnings }
}
