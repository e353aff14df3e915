package term

import (
	"fmt"
	"time"

	"geusemaker/internal/stack"
)

// Left is a resource that was not deleted.
type Left struct {
	Key, ID string
	Reason  string
	Monthly stack.Money // what it goes on costing
	Guess   bool        // that rests on an assumption
}

// DestroyInput is what a destroy did.
type DestroyInput struct {
	Name      string
	Sandbox   bool
	Deleted   [][2]string // key and ID
	Kept      []Left      // on purpose
	Remaining []Left      // against the wish
	Proven    bool        // a scan of the account found nothing but what was kept
	Notes     []string    // what outlives the deployment all the same
	Took      time.Duration
}

// DestroyView shows what is gone, what is left and what that costs, and whether it is proven.
func DestroyView(s Screen, in DestroyInput) string {
	deleted := &Table{Tree: true, Columns: []Column{{}, {}}}
	for _, d := range in.Deleted {
		deleted.Rows = append(deleted.Rows, Row{Cells: d[:]})
	}
	title := fmt.Sprintf("Destroyed %s in %s", in.Name, Duration(in.Took))
	if len(in.Remaining) > 0 {
		title = fmt.Sprintf("Destroyed only a part of %s in %s", in.Name, Duration(in.Took))
	}
	verdict := s.Yellow(s.sign("! ", "") + "Not proven: no complete scan of the account says that nothing else is left.")
	switch {
	case len(in.Remaining) > 0:
		verdict = s.Red(fmt.Sprintf("%s%s left. Run the same command again.", s.sign("✗ ", "Failed: "), things(len(in.Remaining))))
	case in.Proven && len(in.Kept) > 0:
		verdict = s.Green(s.sign("✓ ", "") + "Proven: a scan of the account found only what was kept.")
	case in.Proven:
		verdict = s.Green(s.sign("✓ ", "") + "Proven: a scan of the account found nothing left.")
	}
	return blocks(s.Heading(title, "", in.Sandbox), s.Sections(
		Section{Title: fmt.Sprintf("Deleted (%d)", len(in.Deleted)), Table: deleted},
		leftSection("Kept", in.Kept, func(l Left) Row {
			return Row{Cells: []string{l.Key, l.ID, Amount(l.Monthly, 2, l.Guess), l.Reason}}
		}),
		leftSection("Remaining", in.Remaining, func(l Left) Row {
			return Row{Cells: []string{l.Key, l.ID, Amount(l.Monthly, 2, l.Guess)}, Problem: l.Reason}
		}),
		Section{Notes: in.Notes},
	), verdict+"\n")
}

func things(n int) string {
	if n == 1 {
		return "1 resource is"
	}
	return fmt.Sprintf("%d resources are", n)
}

func leftSection(title string, left []Left, row func(Left) Row) Section {
	t := &Table{Columns: []Column{
		{Name: "RESOURCE"}, {Name: "ID"}, {Name: "MONTHLY", Right: true}, {Name: "REASON", Min: 12, Drop: 1},
	}}
	var sum stack.Money
	guess := false
	for _, l := range left {
		t.Rows = append(t.Rows, row(l))
		sum += l.Monthly
		guess = guess || l.Guess
	}
	if len(left) > 1 {
		t.Total = []string{"total", "", Amount(sum, 2, guess)}
	}
	section := Section{Title: fmt.Sprintf("%s (%d)", title, len(left)), Table: t}
	if guess {
		section.Notes = []string{GuessNote}
	}
	return section
}
