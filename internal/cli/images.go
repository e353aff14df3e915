package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/market"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// imagesDoc is what `images` prints.
type imagesDoc struct {
	Combinations []market.Combination `json:"combinations"`
	Resolved     *resolvedDoc         `json:"resolved"` // null where nothing was asked for, or could not be had
	Region       string               `json:"region"`
	Sandbox      bool                 `json:"sandbox"`
	Note         string               `json:"note"`
	Warnings     []string             `json:"warnings"`
}

// resolvedDoc is the image that a combination stands for now.
type resolvedDoc struct {
	imageDoc
	Owner      string `json:"owner"`
	Publisher  string `json:"publisher"`
	AgeDays    int    `json:"age_days"`
	RootDevice string `json:"root_device"`
	RootGiB    int    `json:"root_gib"`
	LoginUser  string `json:"login_user"`
}

// imageKeys are the keys of the configuration that choose an image.
var imageKeys = []string{"os_type", "architecture", "ami_type", "ami_id", "workload", "tier", "allow_discontinued"}

func newImages(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "images",
		Short: "List every combination of system, architecture and image type, and what one resolves to now",
		Long: `Images lists every combination of os_type, architecture and ami_type: whether AWS publishes it, has ended it, or never
had it, and what to use instead. The list needs no credentials and makes no AWS call.

With --os-type, --architecture, --ami-type or --ami-id it also looks up the image that the choice stands for now in the
region, as a deploy would: its ID, name, age, owner, root volume, and the parameter that led to it. A deployment keeps
the image that it was made with, whatever is published later.`,
		Example: `  geusemaker images
  geusemaker images --os-type amazon-linux-2023 --architecture arm64 --region eu-west-1
  geusemaker images --ami-id ami-0123456789abcdef0 -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			return a.images(ctx, cmd)
		},
	}
	addConfigFlags(cmd, imageKeys...)
	return cmd
}

func (a *app) images(ctx context.Context, cmd *cobra.Command) error {
	c, err := a.loadConfig(cmd, nil)
	if err != nil {
		return err
	}
	doc := imagesDoc{Combinations: market.Combinations(), Sandbox: a.global.sandbox, Warnings: []string{}}
	asked := slices.ContainsFunc(imageKeys, func(key string) bool { return c.IsSet(key) && key != "tier" && key != "workload" })
	if asked {
		err = a.resolveImage(ctx, c, &doc)
		if doc.Resolved == nil && errors.As(err, new(*stack.FieldError)) {
			return err
		}
	} else {
		doc.Note = "AWS was not asked; name an --os-type, --architecture or --ami-type to see what it resolves to now"
	}
	if printErr := a.print(doc, func() string { return a.imagesView(doc, c, asked) }); printErr != nil {
		return printErr
	}
	return err
}

// resolveImage finds the image that the configuration stands for now. Its error is that of AWS; the table stands without it.
func (a *app) resolveImage(ctx context.Context, c stack.Config, doc *imagesDoc) error {
	if err := a.region(ctx, &c); err != nil {
		return err
	}
	doc.Region = c.Region
	if err := validConfig(c); err != nil {
		return err
	}
	account, err := a.openAccount(ctx, c.Region)
	if err == nil {
		var image stack.Image
		if image, doc.Warnings, err = account.Image(ctx, c); err == nil {
			doc.Resolved = resolved(image, a.now(a.global.sandbox))
		}
		doc.Warnings = orEmpty(doc.Warnings)
	}
	if err != nil {
		doc.Note = "not resolved: " + explain(ctx, err).Message
	}
	return err
}

func resolved(i stack.Image, now time.Time) *resolvedDoc {
	return &resolvedDoc{
		imageDoc: imageOf(i), Owner: i.Owner, Publisher: market.Publisher(i.Owner), AgeDays: max(0, int(now.Sub(i.CreatedAt)/(24*time.Hour))),
		RootDevice: i.RootDevice, RootGiB: i.RootGiB, LoginUser: i.LoginUser,
	}
}

func (a *app) imagesView(d imagesDoc, c stack.Config, asked bool) string {
	s := a.streams.OutScreen()
	t := term.Table{Columns: []term.Column{{Name: "OS_TYPE"}, {Name: "AMI_TYPE"}, {Name: "ARCHITECTURE"}, {Name: "STATE", Paint: paintState}, {Name: "INSTEAD", Min: 24, Drop: 1}, {Name: "WHY", Min: 20, Drop: 2}}}
	for _, one := range d.Combinations {
		if asked && !matches(one, c) {
			continue
		}
		t.Rows = append(t.Rows, term.Row{Cells: []string{one.OSType, one.AMIType, one.Architecture, string(one.State), one.Instead, one.Note}})
	}
	title := "Images"
	if d.Region != "" {
		title += " in " + d.Region
	}
	sections := []term.Section{{Table: &t}}
	if r := d.Resolved; r != nil {
		sections = append([]term.Section{{Title: "Now", Pairs: [][2]string{
			{"image", r.ID},
			{"name", r.Name},
			{"built", fmt.Sprintf("%s (%d days ago)", r.CreatedAt.Format(time.DateOnly), r.AgeDays)},
			{"owner", r.Publisher},
			{"root", fmt.Sprintf("%s, %d GiB", r.RootDevice, r.RootGiB)},
			{"login", r.LoginUser},
			{"found by", r.Source},
		}}}, sections...)
	}
	if d.Note != "" {
		sections = append(sections, term.Section{Notes: []string{d.Note + "."}})
	}
	text := s.Heading(title, "", d.Sandbox) + "\n" + s.Sections(sections...)
	if len(d.Warnings) > 0 {
		text += "\n" + s.Warnings(d.Warnings)
	}
	return text
}

// matches reports whether a combination is among those that were asked for.
func matches(one market.Combination, c stack.Config) bool {
	return (!c.IsSet("os_type") || one.OSType == c.OSType) && (!c.IsSet("architecture") || one.Architecture == c.Architecture) &&
		(!c.IsSet("ami_type") || c.AMIType == stack.Auto || one.AMIType == c.AMIType)
}

func paintState(s term.Screen, cell string) string {
	switch market.State(strings.TrimSpace(cell)) {
	case market.Available:
		return s.Green(cell)
	case market.Discontinued:
		return s.Yellow(cell)
	default:
		return s.Dim(cell)
	}
}
