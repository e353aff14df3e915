package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/market"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// offersDoc is what `offers` prints.
type offersDoc struct {
	market.Ranking
	Sandbox bool `json:"sandbox"`
}

const mostOffers = 100

func newOffers(a *app) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "offers",
		Short: "Rank the machine types that fit, with prices, zones and quotas",
		Long: `Offers lists the machine types that fit a configuration, in the order in which a deploy would try them: with the
spot price now and over seven days, the on-demand price, the zones that sell them, how likely a spot request is to
succeed there (placement score, 1 to 10), the quota of vCPUs under which they fall, and why each stands where it does.

The rank follows --preference. For workload gpu only types are listed whose GPU the image's driver and Ollama support and
which hold the largest of --models.`,
		Example: `  geusemaker offers --region eu-central-1
  geusemaker offers --preference lowest-cost --limit 5
  geusemaker offers --workload gpu --models llama3.1:8b --market on-demand -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > mostOffers {
				return usage("--limit: %d is not between 1 and %d", limit, mostOffers)
			}
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			return a.offers(ctx, cmd, limit)
		},
	}
	addConfigFlags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 10, "how many types to list")
	return cmd
}

func (a *app) offers(ctx context.Context, cmd *cobra.Command, limit int) error {
	c, err := a.loadConfig(cmd, nil)
	if err != nil {
		return err
	}
	if err := a.region(ctx, &c); err != nil {
		return err
	}
	if err := validConfig(c); err != nil {
		return err
	}
	account, err := a.openAccount(ctx, c.Region)
	if err != nil {
		return err
	}
	ranking, err := account.Offers(ctx, c, limit)
	if err != nil {
		return err
	}
	doc := offersDoc{Ranking: ranking, Sandbox: a.global.sandbox}
	return a.print(doc, func() string { return a.offersView(doc) })
}

func (a *app) offersView(d offersDoc) string {
	s := a.streams.OutScreen()
	t := term.Table{Columns: []term.Column{
		{Right: true},
		{Name: "TYPE"},
		{Name: "VCPU", Right: true, Drop: 6},
		{Name: "MEMORY", Right: true, Drop: 5},
		{Name: "GPU", Drop: 1},
		{Name: "MARKET", Drop: 4},
		{Name: "SPOT", Right: true},
		{Name: "ON-DEMAND", Right: true},
		{Name: "SAVING", Right: true, Drop: 3},
		{Name: "ZONES", Drop: 7},
		{Name: "7 DAYS OF SPOT", Drop: 9},
		{Name: "SCORE", Right: true, Drop: 8},
		{Name: "VCPU QUOTA", Drop: 10},
		{Name: "WHY", Min: 24, Drop: 2},
	}}
	guessed := false
	for _, o := range d.Offers {
		guessed = guessed || o.Guess
		t.Rows = append(t.Rows, term.Row{Cells: []string{
			strconv.Itoa(o.Rank), o.Type, strconv.Itoa(o.VCPUs), term.Memory(o.MemoryMiB), gpuText(o), o.Market,
			hourlyText(o.Spot, false), hourlyText(o.OnDemand, o.Guess), savingText(o), zonesText(d.Region, o), a.weekText(o.Week),
			scoreText(o), quotasText(o.Quotas), o.Why,
		}})
	}
	title := fmt.Sprintf("Offers in %s, %s, %s, ranked by %s", d.Region, d.Architecture, d.Workload, d.Preference)
	notes := []string{"USD an hour; on-demand prices: " + sources(d.Offers) + "."}
	if guessed {
		notes = append(notes, "~ is not a price of this region: no price list confirmed it.")
	}
	return s.Heading(title, "", d.Sandbox) + "\n" + s.Table(t) + "\n" + s.Sections(term.Section{Notes: notes}) + s.Warnings(d.Warnings)
}

// sources are where the on-demand prices come from, with their dates, each once.
func sources(offers []market.Ranked) string {
	var all []string
	for _, o := range offers {
		text := o.Source
		if !o.AsOf.IsZero() {
			text += ", " + o.AsOf.Format("2006-01-02")
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

func gpuText(o market.Ranked) string {
	if o.GPU == "" {
		return ""
	}
	return fmt.Sprintf("%d× %s %d GiB", o.GPUs, o.GPU, o.GPUMemoryMiB>>10)
}

// hourlyText is an hourly price with four decimals; a price that is not one of the region is marked.
func hourlyText(m *stack.Money, guess bool) string {
	switch {
	case m == nil:
		return "-"
	case guess:
		return "~" + m.Format(4)
	default:
		return m.Format(4)
	}
}

func savingText(o market.Ranked) string {
	if o.Spot == nil || o.OnDemand == nil {
		return ""
	}
	return strconv.Itoa(o.Saving) + "%"
}

// zonesText are the letters of the zones.
func zonesText(region string, o market.Ranked) string {
	var letters []string
	for _, z := range o.Zones {
		letters = append(letters, strings.TrimPrefix(z.Zone, region))
	}
	return strings.Join(letters, " ")
}

// weekText is the range of the spot price, with a line of bars where the terminal can show it.
func (a *app) weekText(w *market.Week) string {
	if w == nil {
		return ""
	}
	text := w.Low.Format(4) + "-" + strings.TrimPrefix(w.High.Format(4), "$")
	if !a.unicode() {
		return text
	}
	var points []int64
	for _, p := range w.Points {
		points = append(points, int64(p))
	}
	return term.Sparkline(points) + " " + text
}

// unicode reports whether the locale is one of UTF-8 and the terminal one that draws (POSIX, "Environment variables": LC_ALL
// wins over LC_CTYPE, which wins over LANG).
func (a *app) unicode() bool {
	if a.getenv("TERM") == "dumb" || a.global.access {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(a.getenv(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

// scoreText is the best placement score of the zones.
func scoreText(o market.Ranked) string {
	best := 0
	for _, z := range o.Zones {
		best = max(best, z.Score)
	}
	if best == 0 {
		return ""
	}
	return strconv.Itoa(best)
}

// quotasText is how much of each quota is in use.
func quotasText(quotas []market.QuotaUse) string {
	var all []string
	count := func(n *int) string {
		if n == nil {
			return "?"
		}
		return strconv.Itoa(*n)
	}
	for _, q := range quotas {
		bucket, _, _ := strings.Cut(q.Bucket, " (")
		all = append(all, fmt.Sprintf("%s %s %s/%s", bucket, q.Market, count(q.Used), count(q.Limit)))
	}
	return strings.Join(all, ", ")
}
