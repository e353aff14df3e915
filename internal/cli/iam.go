package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/permission"
	"geusemaker/internal/term"
)

func newIAM(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "iam", Short: "What has to be allowed in AWS"}
	cmd.AddCommand(newIAMPolicy(a))
	return cmd
}

// policyDoc is what `iam policy` prints.
type policyDoc struct {
	For       permission.Purpose `json:"for"`
	Partition string             `json:"partition"`
	Region    *string            `json:"region"` // null: every region
	Reuses    lentDoc            `json:"reuses"`
	Policies  []policyPart       `json:"policies"`
	Notes     []string           `json:"notes"`
}

// policyPart is one policy that IAM takes.
type policyPart struct {
	Name       string              `json:"name"`
	Characters int                 `json:"characters"`
	File       *string             `json:"file"` // null: not written
	Document   permission.Document `json:"document"`
}

func newIAMPolicy(a *app) *cobra.Command {
	var purpose, folder string
	var mountGroups []string
	purposes := purposeNames()
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Print the least that IAM has to allow, as policies",
		Long: `Policy prints IAM policies that allow what geusemaker asks for a purpose, and no more. It makes no AWS call.

  deploy    plan, validate, discover, offers, images, and deploy until it succeeds
  operate   list, inspect, health, logs, cost, connect and all else that looks at deployments
  destroy   destroy and orphans; a failed deploy needs it, too, to remove what it began
  all       all of them

What is made must bear the tag geusemaker:stack, and only what bears it may be changed or deleted. Roles, instance profiles and
parameters must lie under /geusemaker/, and a role can be given to machines only. All of it holds in one region: that of
--region or of the AWS settings, or in every one with --region all.

What is yours bears no such tag. --vpc-id, --subnet-id, --security-group-id, --efs-id, --key-pair and --add-missing-rules, the
same as those of deploy, make policies for deploy and destroy that also allow the use of what they name, by its ID, and of
nothing else. Since AWS is not asked, a subnet or a group needs its VPC beside it, and rules are added to the groups of mount
targets only when --mount-target-group names them.

IAM takes at most 6,144 characters a policy, so a long one comes in parts; attach them all. The documents go to the output
one after the other. With --write each goes into a file of its own. docs/security.md tells what policies cannot narrow.`,
		Example: `  geusemaker iam policy --for operate
  geusemaker iam policy --for deploy --region eu-central-1 --write policies
  geusemaker iam policy --for deploy --vpc-id vpc-0123456789abcdef0 --key-pair laptop
  geusemaker iam policy --config team.yaml -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(purposes, purpose) {
				return usage("--for: %q is no purpose; use %s", purpose, strings.Join(purposes, ", "))
			}
			c, err := a.loadConfig(cmd, nil)
			if err != nil {
				return err
			}
			lent, err := lentBy(c, mountGroups)
			if err != nil {
				return err
			}
			doc := policyDoc{For: permission.Purpose(purpose), Reuses: lent}
			doc.Notes = lent.notes(doc.For)
			return a.iamPolicy(cmd.Context(), doc, c.Region, folder)
		},
	}
	cmd.Flags().StringVar(&purpose, "for", string(permission.All), "`purpose`: "+strings.Join(purposes, ", "))
	cmd.Flags().StringVar(&folder, "write", "", "write each policy to a file in this `folder`")
	cmd.Flags().StringArrayVar(&mountGroups, flagMountGroup, nil, "let rules be added to this `group` of the mount targets of --efs-id; may be repeated")
	addConfigFlags(cmd, reuseKeys...)
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(purposes, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func purposeNames() []string {
	var names []string
	for _, p := range permission.Purposes() {
		names = append(names, string(p))
	}
	return names
}

// iamPolicy completes a document with its place and its policies. The region is that of the configuration, if it names one.
func (a *app) iamPolicy(ctx context.Context, doc policyDoc, wanted, folder string) error {
	region := ""
	if a.global.region != allRegions {
		regions, err := a.surveyed(ctx, slices.DeleteFunc([]string{wanted}, func(r string) bool { return r == "" }))
		if err != nil {
			return err
		}
		region, doc.Region = regions[0], &regions[0]
	}
	doc.Partition = permission.PartitionOf(region)
	for i, d := range permission.Policies(doc.For, permission.Place{Partition: doc.Partition, Region: region}, doc.Reuses.reuse()) {
		part := policyPart{Name: "geusemaker-" + string(doc.For), Characters: d.Characters(), Document: d}
		if i > 0 {
			part.Name += fmt.Sprint("-", i+1)
		}
		if part.Characters > permission.MaxCharacters {
			return usage("--%s: these are more groups than a policy has room for; a file system has at most five for each zone", flagMountGroup)
		}
		doc.Policies = append(doc.Policies, part)
	}
	if folder != "" {
		if err := doc.write(folder); err != nil {
			return err
		}
	}
	return a.print(doc, func() string { return a.policyView(doc, folder != "") })
}

// write puts each policy into a file. It replaces none.
func (d policyDoc) write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return usage("--write: %v", err)
	}
	for i := range d.Policies {
		p := &d.Policies[i]
		p.File = new(filepath.Join(folder, p.Name+".json"))
		text := readable(p.Document)
		if old, err := os.ReadFile(*p.File); err == nil && bytes.Equal(old, text) {
			continue // the same was written before
		}
		f, err := os.OpenFile(*p.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return &usageError{err: fmt.Errorf("%s exists already and says something else; it is left as it is", *p.File), hints: []string{"name another folder with --write, or remove that file"}}
		}
		if err != nil {
			return usage("--write: %v", err)
		}
		_, err = f.Write(text)
		if err = errors.Join(err, f.Close()); err != nil {
			return errors.Join(fmt.Errorf("cannot write %s: %w", *p.File, err), os.Remove(*p.File))
		}
	}
	return nil
}

// readable is a policy as a person reads it; IAM does not count white space.
func readable(d permission.Document) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		panic("a policy has no JSON form: " + err.Error()) // it holds texts only
	}
	return b.Bytes()
}

// policyView shows the documents themselves, so that they can be sent to a file; what was written is only named.
func (a *app) policyView(d policyDoc, written bool) string {
	if !written {
		var all []byte
		for _, p := range d.Policies {
			all = append(all, readable(p.Document)...)
		}
		if n := len(d.Policies); n > 1 && !a.global.quiet {
			fmt.Fprintf(a.streams.Err, "These are %d policies, since IAM takes at most %d characters each; attach them all. --write FOLDER makes a file of each.\n", n, permission.MaxCharacters)
		}
		for _, note := range d.Notes {
			a.note(note)
		}
		return string(all)
	}
	t := term.Table{Columns: []term.Column{{Name: "POLICY"}, {Name: "CHARACTERS", Right: true}, {Name: "FILE", Min: 20}}}
	var next []string
	for _, p := range d.Policies {
		t.Rows = append(t.Rows, term.Row{Cells: []string{p.Name, fmt.Sprint(p.Characters), *p.File}})
		next = append(next, fmt.Sprintf("aws iam create-policy --policy-name %s --policy-document file://%s", p.Name, *p.File))
	}
	return a.streams.OutScreen().Sections(term.Section{Table: &t}, term.Section{Title: "Next", Lines: next}, term.Section{Notes: d.Notes})
}
