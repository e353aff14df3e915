package term

import (
	"fmt"
	"time"

	"geusemaker/internal/stack"
)

// GuessNote explains the mark of Amount.
const GuessNote = "~ rests on an assumption: of how much will be used, or of a price that no price list confirmed."

// CostSection is the whole price by component, with the source and the age of each price at the time now.
func CostSection(c stack.Cost, now time.Time) Section {
	if len(c.Components) == 0 {
		return Section{}
	}
	t := &Table{Columns: []Column{
		{Name: "COMPONENT", Min: 24},
		{Name: "QUANTITY", Right: true, Drop: 1},
		{Name: "HOURLY", Right: true, Drop: 4},
		{Name: "MONTHLY", Right: true},
		{Name: "SOURCE", Drop: 3, Min: 20},
		{Name: "AGE", Right: true, Drop: 2},
	}}
	for _, part := range c.Components {
		t.Rows = append(t.Rows, Row{Cells: []string{
			part.Name,
			joined(" ", fmt.Sprint(part.Quantity), part.Unit),
			Amount(part.Hourly, 4, part.Guess),
			Amount(part.Monthly, 2, part.Guess),
			part.Source,
			PriceAge(part.AsOf, now),
		}})
	}
	t.Total = []string{"total", "", Amount(c.Hourly, 4, c.Guessed()), Amount(c.Monthly, 2, c.Guessed())}
	section := Section{Title: "Cost", Table: t, Notes: []string{costSentence(c)}}
	if c.Guessed() {
		section.Notes = append(section.Notes, GuessNote)
	}
	return section
}

// Amount is an amount of money, marked where it rests on an assumption. There is nothing to be guessed about zero.
func Amount(m stack.Money, decimals int, guess bool) string {
	if guess && m != 0 {
		return "~" + m.Format(decimals)
	}
	return m.Format(decimals)
}

// PriceAge is how old a price is. Of some of AWS's price pages nobody knows when they were read.
func PriceAge(t, now time.Time) string {
	if t.IsZero() {
		return "undated"
	}
	return Age(now.Sub(t))
}

// costSentence is the price in the three measures that people think in, and what the same would cost on demand.
func costSentence(c stack.Cost) string {
	guess := c.Guessed()
	text := fmt.Sprintf("%s an hour, %s a day, %s a month",
		Amount(c.Hourly, 4, guess), Amount(c.Daily, 2, guess), Amount(c.Monthly, 2, guess))
	if c.SavingPercent > 0 {
		text += fmt.Sprintf("; on demand it would be %s a month: %d%% saved", Amount(c.OnDemandMonthly, 2, guess), c.SavingPercent)
	}
	if c.ToDate != 0 {
		text += fmt.Sprintf("; %s so far", Amount(c.ToDate, 2, guess))
	}
	return text + "."
}
