package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"geusemaker/internal/cloud/market"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// outliving tells what stays after a destroy although it is no resource of the deployment. AWS Backup keeps its recovery
// points of a file system that is gone: the automatic plan for 35 days, in the vault aws/efs/automatic-backup-vault (EFS
// user guide, "Backing up EFS file systems").
func outliving(s stack.State, out engine.Removed) []string {
	notes := []string{}
	for _, r := range out.Deleted {
		if r.Kind == stack.KindFileSystem && s.Config.Backup != "off" {
			notes = append(notes, fmt.Sprintf("AWS Backup keeps the recovery points of %s, if it made any, and bills them until they expire, 35 days after they were made; "+
				"they are in its vault aws/efs/automatic-backup-vault", r.ID))
		}
	}
	for _, k := range out.Kept {
		if k.Kind == stack.KindFileSystem && !k.Owned {
			notes = append(notes, fmt.Sprintf("what the machine wrote to %s stays there: the models in the folder ollama, the rest in the folder %s", k.ID, s.ID))
		}
	}
	if slices.ContainsFunc(out.Kept, func(k engine.Kept) bool { return k.Owned }) {
		notes = append(notes, fmt.Sprintf("`geusemaker deploy %s` attaches what was kept to a new machine, `geusemaker destroy %s` deletes it", s.Name, s.Name))
	}
	if s.Imported != "" {
		notes = append(notes, "what was imported bears no tags of this tool: that each recorded resource is gone is proven, that there was no other is not")
	}
	return notes
}

// replaceable reports whether a key of a deployment may be given another value than it was deployed with: where only its
// data are left, what they do not depend on.
func replaceable(s stack.State, key, value string) bool {
	if key == "efs_id" && value == s.Records[stack.KeyFiles].ID {
		return true // it names what is attached anyway
	}
	return s.DataKept() && !slices.Contains([]string{"region", "data_gib", "data_throughput", "kms_key_id", "efs_id"}, key)
}

// resumed is the configuration with which a known deployment goes on: the saved one, and with only its data left, with what
// is newly chosen.
func resumed(s stack.State, chosen stack.Config) stack.Config {
	c := s.Config
	if !s.DataKept() {
		return c
	}
	for _, f := range stack.Fields() {
		if chosen.IsSet(f.Key) && replaceable(s, f.Key, chosen.Text(f.Key)) {
			_ = c.Set(f.Key, chosen.Value(f.Key), chosen.SourceOf(f.Key)) // it has been set before
		}
	}
	return c
}

// refit finds the facts anew, and makes the pre-flight checks, for a deployment that will get a new machine, or of which they were never found: what is there
// already stays where it is.
func (a *app) refit(ctx context.Context, c stack.Config, in *intention) error {
	s := &in.state
	if !s.DataKept() && !s.Facts.FoundAt.IsZero() {
		return nil
	}
	facts, checks, err := a.factsLike(ctx, c, in)
	if err != nil {
		return err
	}
	in.checks = checks
	facts.Reuse = s.Reuse(facts.Reuse)
	if vpc := s.Records[stack.KeyVPC]; vpc.Attrs[stack.AttrCIDR] != "" {
		facts.VPCCIDR = vpc.Attrs[stack.AttrCIDR]
	}
	facts.Warnings = append(facts.Warnings, lost(*s)...)
	s.Sources = orEmptyMap(maps.Clone(s.Sources))
	maps.Copy(s.Sources, c.Sources())
	s.Config, s.Facts, s.Tier, s.Operation = c, facts, c.Tier, stack.Operation{}
	return nil
}

// factsLike finds facts of the image that the machine was launched from, where that can still be had.
func (a *app) factsLike(ctx context.Context, c stack.Config, in *intention) (stack.Facts, []market.Check, error) {
	zones, skip := in.state.Zones(), slices.Concat(in.skip, answered(in.state))
	if m, ok := in.state.Machine(); ok && c.AMIID == "" && m.Attrs[stack.AttrImage] != "" {
		like := c
		like.AMIID = m.Attrs[stack.AttrImage]
		facts, checks, err := in.account.Preflight(ctx, like, skip, zones)
		if !errors.As(err, new(*stack.FieldError)) {
			return facts, checks, err
		}
	}
	return in.account.Preflight(ctx, c, skip, zones)
}

// answered are the pre-flight checks that what exists already answers: its own network is in the way of no other, and its
// machine needs no room.
func answered(s stack.State) []string {
	var ids []string
	if s.Records[stack.KeyVPC].ID != "" {
		ids = append(ids, market.CheckVPCs, market.CheckCIDR)
	}
	if m, ok := s.Machine(); ok && m.ID != "" && !m.Gone() {
		ids = append(ids, market.CheckVCPUs, market.CheckName)
	}
	return ids
}

// lost warns of data that the deployment cannot get back.
func lost(s stack.State) []string {
	if !s.DataKept() {
		return nil
	}
	var warnings []string
	if s.Records[stack.KeySecret].ID == "" {
		warnings = append(warnings, "the secrets of the earlier machine are gone: all logins will be new, and n8n cannot read the credentials that it saved")
	}
	if s.Records[stack.KeyData].ID == "" {
		warnings = append(warnings, "the data volume of the earlier machine is gone: the databases begin empty, unless their backups on the file system are restored")
	}
	return warnings
}

// errForeign says that a file system is none of ours: it is reused as it is.
var errForeign = errors.New("the file system was not made by geusemaker")

// attached begins the record of a deployment that takes over the data that another, destroyed one left: the owner of the
// file system that is named. It makes nothing.
func (a *app) attached(ctx context.Context, c *stack.Config, in *intention) (stack.State, error) {
	refuse := func(fix, format string, args ...any) (stack.State, error) {
		return stack.State{}, &stack.FieldError{Key: "efs_id", Problem: fmt.Sprintf(format, args...), Fix: fix, Source: c.SourceOf("efs_id")}
	}
	e := engine.Engine{Drivers: in.account.Drivers(), Clock: in.clock}
	found, err := e.Drivers[stack.KindFileSystem].Read(ctx, engine.Target{Record: stack.Record{Kind: stack.KindFileSystem, ID: c.EFSID}})
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return refuse("look at --region and --profile", "region %s of this account has no file system %s", c.Region, c.EFSID)
	case err != nil:
		return stack.State{}, err
	case found.Stack == "":
		return stack.State{}, errForeign
	}
	traces, err := e.Survey(ctx, found.Stack)
	if err != nil {
		return stack.State{}, fmt.Errorf("cannot tell what else belongs to %s: %w", c.EFSID, err)
	}
	i := slices.IndexFunc(traces, func(t stack.Trace) bool { return t.ID == found.Stack })
	if i < 0 {
		return refuse("try again in a moment", "%s vanished while it was looked at", c.EFSID)
	}
	trace := traces[i]
	known, err := a.recorded()
	if err != nil {
		return stack.State{}, err
	}
	if name, ok := known.of(trace); ok {
		return refuse(fmt.Sprintf("`geusemaker deploy %s` attaches it", name), "%s belongs to %s, which is recorded here", c.EFSID, name)
	}
	if !trace.DataOnly() {
		return refuse(fmt.Sprintf("`geusemaker recover %s` takes over its record", trace.Name), "%s is in use by the deployment %s, which another computer made", c.EFSID, trace.Name)
	}
	return a.takeOver(ctx, c, in, trace)
}

// takeOver makes the record of a deployment from the data of another, under a new name.
func (a *app) takeOver(ctx context.Context, c *stack.Config, in *intention, trace stack.Trace) (stack.State, error) {
	for key, attr := range map[string]string{"data_gib": stack.AttrGiB, "data_throughput": stack.AttrSpeed} {
		size := trace.Records[stack.KeyData].Attrs[attr]
		switch {
		case size == "" || size == c.Text(key):
		case c.IsSet(key):
			return stack.State{}, &stack.FieldError{
				Key: key, Source: c.SourceOf(key), Fix: "leave it out",
				Problem: fmt.Sprintf("the data volume %s that will be attached has %s", trace.Records[stack.KeyData].ID, size),
			}
		default:
			if err := c.Set(key, size, stack.Source{Kind: "saved"}); err != nil {
				return stack.State{}, err
			}
		}
	}
	account, err := in.account.ID(ctx)
	if err != nil {
		return stack.State{}, err
	}
	id := stack.Identity{ID: trace.ID, Name: c.Name, Account: account, Region: c.Region, Tier: c.Tier}
	s := stack.Rebuild(id, trace, *c, trace.Facts(account, c.Region), in.clock.Now())
	s.Tool, s.Sandbox = version, a.global.sandbox
	return s, nil
}
