package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/stack"
	"geusemaker/internal/store"
	"geusemaker/internal/term"
)

// costDoc is what `cost NAME` prints: the cost as inspect shows it, and what follows from it.
type costDoc struct {
	Name      string      `json:"name"`
	ID        string      `json:"id"`
	Status    stack.Phase `json:"status"`
	Region    string      `json:"region"`
	Market    string      `json:"market"`  // of the machine; empty where there is none
	Sandbox   bool        `json:"sandbox"` // nothing of it is billed
	CreatedAt time.Time   `json:"created_at"`
	stack.Cost
	CurrentHourly  stack.Money      `json:"current_hourly"`  // of what is billed now
	MonthToDate    stack.Money      `json:"month_to_date"`   // of this calendar month, UTC
	ProjectedMonth stack.Money      `json:"projected_month"` // of this calendar month, if nothing changes
	Stop           stopDoc          `json:"stop"`
	Intervals      []stack.Interval `json:"intervals"`
}

// stopDoc is what stopping the machine would mean for the bill.
type stopDoc struct {
	Possible bool        `json:"possible"`
	Reason   string      `json:"reason"`
	Saves    stack.Money `json:"saves_monthly"`
	Leaves   stack.Money `json:"leaves_monthly"`
	Guess    bool        `json:"guess"` // one of both rests on an assumption
}

// costsDoc is what `cost` prints of all deployments.
type costsDoc struct {
	Deployments []costRow    `json:"deployments"`
	Total       costTotals   `json:"total"`   // of real deployments
	Sandbox     costTotals   `json:"sandbox"` // of those that are not billed
	Markets     []marketCost `json:"markets"` // the same by the market of the machine, real and pretend ones apart
}

type marketCost struct {
	Market  string `json:"market"`
	Sandbox bool   `json:"sandbox"`
	costTotals
}

type costRow struct {
	Name    string      `json:"name"`
	Status  stack.Phase `json:"status"`
	Region  string      `json:"region"`
	Market  string      `json:"market"` // of the machine; empty where there is none
	Sandbox bool        `json:"sandbox"`
	costTotals
	Error string `json:"error"`

	unread bool // nobody knows whether it is of the sandbox, or what it costs
}

type costTotals struct {
	CurrentHourly  stack.Money `json:"current_hourly"`
	Monthly        stack.Money `json:"monthly"`
	ToDate         stack.Money `json:"to_date"`
	MonthToDate    stack.Money `json:"month_to_date"`
	ProjectedMonth stack.Money `json:"projected_month"`
	Guess          bool        `json:"guess"` // some of it rests on an assumption
}

func (t *costTotals) add(o costTotals) {
	t.CurrentHourly += o.CurrentHourly
	t.Monthly += o.Monthly
	t.ToDate += o.ToDate
	t.MonthToDate += o.MonthToDate
	t.ProjectedMonth += o.ProjectedMonth
	t.Guess = t.Guess || o.Guess
}

// count adds a deployment to its totals.
func (d *costsDoc) count(row costRow) {
	d.Deployments = append(d.Deployments, row)
	if row.Sandbox {
		d.Sandbox.add(row.costTotals)
	} else {
		d.Total.add(row.costTotals)
	}
	if row.Market == "" {
		return
	}
	at := slices.IndexFunc(d.Markets, func(m marketCost) bool { return m.Market == row.Market && m.Sandbox == row.Sandbox })
	if at < 0 {
		at = len(d.Markets)
		d.Markets = append(d.Markets, marketCost{Market: row.Market, Sandbox: row.Sandbox})
	}
	d.Markets[at].add(row.costTotals)
}

func newCost(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "cost [NAME]",
		Short: "Show what deployments cost: by component, to date, this month",
		Long: `Cost shows what a deployment costs by component, what it has cost to date, what this calendar month will cost if
nothing changes, and what stopping the machine would save. Without NAME it shows all deployments with their totals.

The cost to date counts the machine while it ran, at the price at which it was launched, and everything else for as long
as it existed. It is an estimate from list prices, without taxes and discounts; ~ marks what rests on an assumption.`,
		Example:           "  geusemaker cost\n  geusemaker cost team\n  geusemaker cost -o csv > costs.csv",
		Args:              cobra.MaximumNArgs(1),
		Annotations:       map[string]string{csvAnnotation: ""},
		ValidArgsFunction: a.completeNames,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.costs()
			}
			s, busy, err := a.look(args[0])
			if err != nil {
				return err
			}
			doc := priceOf(s, busy, a.now(s.Sandbox))
			return a.print(doc, func() string { return a.costView(doc) })
		},
	}
}

// priceOf makes the document of one deployment.
func priceOf(s stack.State, busy bool, now time.Time) costDoc {
	d := costDoc{
		Name: s.Name, ID: s.ID, Status: s.Phase(busy), Region: s.Region, Sandbox: s.Sandbox, CreatedAt: s.CreatedAt,
		Cost: s.Cost(now), Intervals: orEmpty(s.Intervals),
	}
	begin := time.Date(now.UTC().Year(), now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	end := begin.AddDate(0, 1, 0)
	for _, a := range s.Accruals() {
		d.MonthToDate += a.Between(begin, now)
		d.ProjectedMonth += a.Between(begin, end)
		if a.To.IsZero() {
			d.CurrentHourly += a.Hourly
		}
	}
	m, _ := s.Machine()
	d.Market = m.Attrs[stack.AttrMarket]
	d.Stop = stopping(s, d.Cost)
	return d
}

// stopping says what a stop would save: the machine and its address. Its disks and the file system are billed all the same.
func stopping(s stack.State, c stack.Cost) stopDoc {
	d := stopDoc{Leaves: c.Monthly, Guess: c.Guessed()}
	m, ok := s.Machine()
	switch {
	case !ok || m.ID == "":
		d.Reason = "there is no machine"
		return d
	case m.Gone():
		d.Reason = "the machine is gone"
	case m.Stopped():
		d.Reason = "it is stopped already"
	case m.Attrs[stack.AttrMarket] == stack.Spot:
		d.Reason = "a one-time spot machine cannot be stopped, only destroyed; `destroy --keep-data` keeps what it holds"
	default:
		d.Possible = true
	}
	for _, part := range c.Components {
		if part.Billing != "" {
			d.Saves += part.Monthly
		}
	}
	d.Leaves -= d.Saves
	return d
}

// costs shows all deployments.
func (a *app) costs() error {
	home, err := a.home()
	if err != nil {
		return err
	}
	names, err := home.Names()
	if err != nil {
		return err
	}
	doc := costsDoc{Deployments: []costRow{}, Markets: []marketCost{}}
	for _, name := range names {
		doc.count(a.costRow(home, name))
	}
	slices.SortStableFunc(doc.Deployments, func(x, y costRow) int {
		switch {
		case x.ProjectedMonth != y.ProjectedMonth && x.ProjectedMonth > y.ProjectedMonth:
			return -1
		case x.ProjectedMonth != y.ProjectedMonth:
			return 1
		default:
			return strings.Compare(x.Name, y.Name)
		}
	})
	return a.print(doc, func() string { return a.costsView(doc) })
}

// costRow is the row of one deployment; a file that cannot be read is a row with its error.
func (a *app) costRow(home store.Home, name string) costRow {
	s, err := home.Load(name)
	if err != nil {
		return costRow{Name: name, Status: stack.PhaseUnknown, Error: err.Error(), unread: true}
	}
	holder, err := home.Holder(name)
	row := costRow{Name: name, Region: s.Region, Sandbox: s.Sandbox}
	if err != nil {
		row.Error = err.Error()
	}
	d := priceOf(s, holder != nil, a.now(s.Sandbox))
	row.Status, row.Market = d.Status, d.Market
	row.costTotals = costTotals{
		CurrentHourly: d.CurrentHourly, Monthly: d.Monthly, ToDate: d.ToDate, MonthToDate: d.MonthToDate, ProjectedMonth: d.ProjectedMonth,
		Guess: d.Guessed(),
	}
	return row
}

func (a *app) costView(d costDoc) string {
	if a.global.output == outputCSV {
		return componentsCSV(d)
	}
	s, now := a.streams.OutScreen(), a.now(d.Sandbox)
	t := &term.Table{Columns: []term.Column{
		{Name: "COMPONENT", Min: 24},
		{Name: "QUANTITY", Right: true, Drop: 1},
		{Name: "HOURLY", Right: true, Drop: 4},
		{Name: "MONTHLY", Right: true},
		{Name: "TO DATE", Right: true},
		{Name: "SOURCE", Drop: 3, Min: 20},
		{Name: "AGE", Right: true, Drop: 2},
	}}
	for _, c := range d.Components {
		t.Rows = append(t.Rows, term.Row{Cells: []string{
			c.Name, fmt.Sprintf("%d %s", c.Quantity, c.Unit), term.Amount(c.Hourly, 4, c.Guess), term.Amount(c.Monthly, 2, c.Guess), term.Amount(c.ToDate, 2, c.Guess), c.Source, term.PriceAge(c.AsOf, now),
		}})
	}
	guess := d.Guessed()
	t.Total = []string{"total", "", term.Amount(d.Hourly, 4, guess), term.Amount(d.Monthly, 2, guess), term.Amount(d.ToDate, 2, guess)}
	pairs := [][2]string{
		{"status", string(d.Status)},
		{"now", term.Amount(d.CurrentHourly, 4, guess) + " an hour"},
		{"this month", fmt.Sprintf("%s so far, %s by its end", term.Amount(d.MonthToDate, 2, guess), term.Amount(d.ProjectedMonth, 2, guess))},
		{"stopping", stopText(d.Stop)},
	}
	if d.SavingPercent > 0 {
		pairs = append(pairs, [2]string{"on demand", fmt.Sprintf("%s a month; spot saves %d%%", term.Amount(d.OnDemandMonthly, 2, guess), d.SavingPercent)})
	}
	sections := []term.Section{{Pairs: pairs}, {Title: "Components", Table: t}}
	if guess {
		sections[1].Notes = []string{term.GuessNote}
	}
	return s.Heading(d.Name, "", d.Sandbox) + "\n" + s.Sections(sections...)
}

func stopText(d stopDoc) string {
	switch {
	case d.Possible:
		return fmt.Sprintf("would save %s a month and leave %s", term.Amount(d.Saves, 2, d.Guess), term.Amount(d.Leaves, 2, d.Guess))
	case d.Saves > 0:
		return fmt.Sprintf("would save %s a month, but %s", term.Amount(d.Saves, 2, d.Guess), d.Reason)
	default:
		return d.Reason
	}
}

func (a *app) costsView(d costsDoc) string {
	if a.global.output == outputCSV {
		return deploymentsCSV(d)
	}
	s := a.streams.OutScreen()
	if len(d.Deployments) == 0 {
		return s.Paragraph("No deployments yet: nothing is billed.\n" + leftoverNote)
	}
	t := term.Table{Columns: []term.Column{
		{Name: "NAME"},
		{Name: "STATUS", Paint: term.Screen.Status, Drop: 3},
		{Name: "REGION", Drop: 4},
		{Name: "MARKET", Drop: 6},
		{Name: "NOW/HOUR", Right: true, Drop: 2},
		{Name: "MONTHLY", Right: true},
		{Name: "TO DATE", Right: true},
		{Name: "MONTH SO FAR", Right: true, Drop: 5},
		{Name: "THIS MONTH", Right: true, Drop: 1},
	}}
	cells := func(c costTotals) []string {
		cells := []string{term.Amount(c.CurrentHourly, 4, c.Guess)}
		for _, m := range []stack.Money{c.Monthly, c.ToDate, c.MonthToDate, c.ProjectedMonth} {
			cells = append(cells, term.Amount(m, 2, c.Guess))
		}
		return cells
	}
	for _, row := range d.Deployments {
		name := row.Name
		if row.Sandbox {
			name += " (sandbox)"
		}
		r := term.Row{Cells: append([]string{name, string(row.Status), row.Region, row.Market}, cells(row.costTotals)...), Problem: row.Error}
		if row.Error != "" {
			r.Cells = r.Cells[:4]
		}
		t.Rows = append(t.Rows, r)
	}
	total, note := d.total()
	if total.of != "" {
		t.Total = append([]string{total.of, "", "", ""}, cells(total.costTotals)...)
	}
	note = byMarket(d.Markets, total.of == totalOfSandbox) + note
	if d.Total.Guess || d.Sandbox.Guess {
		note += term.GuessNote + "\n"
	}
	return s.Table(t) + s.Paragraph(note+leftoverNote)
}

// leftoverNote points to what is billed and belongs to no deployment.
const leftoverNote = "What belongs to no deployment is not in it: `geusemaker orphans --region all` lists it.\n"

// byMarket splits the total of deployments by market, where there is more than one.
func byMarket(markets []marketCost, inSandbox bool) string {
	var parts []string
	for _, m := range markets {
		if m.Sandbox == inSandbox {
			parts = append(parts, fmt.Sprintf("%s %s a month, %s to date", m.Market, term.Amount(m.Monthly, 2, m.Guess), term.Amount(m.ToDate, 2, m.Guess)))
		}
	}
	if len(parts) < 2 {
		return ""
	}
	return "By market: " + strings.Join(parts, "; ") + ".\n"
}

// totalOfSandbox is of what the total is where nothing is billed.
const totalOfSandbox = "total (sandbox)"

// namedTotal is a total and of what it is.
type namedTotal struct {
	of string // "" when there is nothing to sum up
	costTotals
}

// total is the total to show, with what has to be said of it. Records that cannot be read are neither billed nor not.
func (d costsDoc) total() (namedTotal, string) {
	billed, pretend, unread := 0, 0, 0
	for _, row := range d.Deployments {
		switch {
		case row.unread:
			unread++
		case row.Sandbox:
			pretend++
		default:
			billed++
		}
	}
	note := ""
	if unread > 0 {
		note = "A record that cannot be read is in no total.\n"
	}
	switch {
	case billed+pretend == 0:
		return namedTotal{}, note
	case billed > 0 && pretend > 0:
		return namedTotal{"total", d.Total}, "Deployments of the sandbox are not billed and not in the total.\n" + note
	case billed > 0:
		return namedTotal{"total", d.Total}, note
	case unread > 0:
		return namedTotal{totalOfSandbox, d.Sandbox}, "Deployments of the sandbox are not billed.\n" + note
	default:
		return namedTotal{totalOfSandbox, d.Sandbox}, "Nothing of this is billed.\n"
	}
}

// componentsCSV is one deployment, a line a component.
func componentsCSV(d costDoc) string {
	rows := [][]string{{"name", "key", "component", "quantity", "unit", "hourly", "monthly", "to_date", "source", "as_of", "guess"}}
	for _, c := range d.Components {
		asOf := ""
		if !c.AsOf.IsZero() {
			asOf = c.AsOf.Format(time.RFC3339)
		}
		rows = append(rows, []string{
			d.Name, string(c.Key), c.Name, strconv.FormatInt(c.Quantity, 10), c.Unit, c.Hourly.Decimal(), c.Monthly.Decimal(), c.ToDate.Decimal(),
			c.Source, asOf, strconv.FormatBool(c.Guess),
		})
	}
	return csvText(rows)
}

// deploymentsCSV is a line a deployment.
func deploymentsCSV(d costsDoc) string {
	rows := [][]string{{"name", "status", "region", "sandbox", "current_hourly", "monthly", "to_date", "month_to_date", "projected_month", "error", "guess", "market"}}
	for _, r := range d.Deployments {
		rows = append(rows, []string{
			r.Name, string(r.Status), r.Region, strconv.FormatBool(r.Sandbox), r.CurrentHourly.Decimal(), r.Monthly.Decimal(), r.ToDate.Decimal(),
			r.MonthToDate.Decimal(), r.ProjectedMonth.Decimal(), r.Error,
			strconv.FormatBool(r.Guess), r.Market,
		})
	}
	return csvText(rows)
}

func csvText(rows [][]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := errors.Join(w.WriteAll(rows), w.Error()); err != nil {
		return "" // writing into memory does not fail
	}
	return b.String()
}
