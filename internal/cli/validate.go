package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/market"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// validateDoc is what `validate` prints.
type validateDoc struct {
	Name    string         `json:"name"`
	Region  string         `json:"region"`
	Account string         `json:"account"`
	Sandbox bool           `json:"sandbox"`
	Passed  bool           `json:"passed"` // no check has level error
	Checks  []market.Check `json:"checks"`
}

// The checks that only `validate` has: a deploy has them under other names.
const (
	checkConfig = "config"
	checkBudget = "budget"
)

func newValidate(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate [NAME]",
		Short: "Check a configuration and the account before anything is made",
		Long: `Validate checks what a deploy would check before it asks: the configuration, credentials, region, image, machine,
permissions (by dry runs, which change nothing), quotas and what is used of them, names, address ranges, key pair, file
system and subnet. It makes nothing.

Each check has a level: error (a deploy would fail), warning (it may, or it could not be found out) or info. The exit
code is that of the first error: 2 configuration, 4 credentials or permission, 7 quota or capacity, 8 budget.`,
		Example: `  geusemaker validate --region eu-central-1
  geusemaker validate team --config team.yaml -o json
  geusemaker validate team --skip-check permissions`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			return a.validate(ctx, cmd, args)
		},
		ValidArgsFunction: a.completeNames,
	}
	addConfigFlags(cmd)
	addSkipFlag(cmd)
	return cmd
}

func (a *app) validate(ctx context.Context, cmd *cobra.Command, args []string) error {
	skip, err := skipped(cmd)
	if err != nil {
		return err
	}
	c, err := a.loadConfig(cmd, args)
	if err != nil {
		return a.validated(ctx, c, "", configChecks(err))
	}
	saved, known, err := a.saved(c.Name)
	if err != nil {
		return err
	}
	if known {
		if err := a.needSameAccount(saved); err != nil {
			return err
		}
		if err := resumable(saved, &c); err != nil {
			return err
		}
		c = saved.Config
		skip = market.Skippable() // what they look at exists
		skip = slices.DeleteFunc(skip, func(id string) bool { return id == market.CheckPermissions })
	} else if err := a.region(ctx, &c); err != nil {
		return err
	}
	if err := validConfig(c); err != nil {
		return a.validated(ctx, c, "", configChecks(err))
	}
	account, err := a.openAccount(ctx, c.Region)
	if err != nil {
		return err
	}
	checks, found := a.preflightOf(ctx, account, c, skip)
	if known {
		for i, check := range checks {
			if check.Reason == market.Skipped && slices.Contains(skip, check.ID) {
				checks[i].Reason = "not looked at: it exists already"
			}
		}
		checks = append(checks, sameAccount(saved, found), market.Check{
			ID: market.CheckName, Level: market.LevelInfo, Reason: c.Name + " exists; a deploy goes on with it", Next: "",
		})
	}
	return a.validated(ctx, c, found, checks)
}

// validConfig checks the configuration; that it has no name does not matter here.
func validConfig(c stack.Config) error {
	if c.Name == "" {
		c.Name = "unnamed"
	}
	return c.Validate()
}

// configChecks are the mistakes of a configuration, each as a check.
func configChecks(err error) []market.Check {
	var checks []market.Check
	for _, one := range stack.Problems(err) {
		check := market.Check{ID: checkConfig, Level: market.LevelError, Reason: one.Error(), Err: one}
		if field, ok := errors.AsType[*stack.FieldError](one); ok {
			plain := *field
			plain.Fix = ""
			check.Reason, check.Next = plain.Error(), field.Fix
		}
		checks = append(checks, check)
	}
	return checks
}

// preflightOf makes the checks of a configuration, with its budget where there are prices. It returns the account, if known.
func (a *app) preflightOf(ctx context.Context, account *cloud.Account, c stack.Config, skip []string) ([]market.Check, string) {
	facts, checks, err := account.Preflight(ctx, c, skip, nil)
	if err != nil && !slices.ContainsFunc(checks, func(c market.Check) bool { return c.Level == market.LevelError }) {
		checks = append(checks, configChecks(err)...)
	}
	checks = append([]market.Check{{ID: checkConfig, Level: market.LevelInfo, Reason: "the configuration is complete and without contradictions"}}, checks...)
	if err != nil {
		return checks, facts.Account
	}
	id := stack.Identity{ID: "unnamed", Name: c.Name, Account: facts.Account, Region: c.Region, Tier: c.Tier}
	g, err := stack.Blueprint(id, c, facts)
	if err != nil {
		return append(checks, configChecks(err)...), facts.Account
	}
	return append(checks, budgetCheck(id, c, facts, stack.Estimate(g, facts))), facts.Account
}

// budgetCheck tells the whole price, and whether it is within the limits.
func budgetCheck(id stack.Identity, c stack.Config, f stack.Facts, cost stack.Cost) market.Check {
	if err := withinBudget(c, cost, false); err != nil {
		return market.Check{ID: checkBudget, Level: market.LevelError, Reason: err.Error(), Next: strings.Join(whatFits(id, c, f), "; "), Err: err}
	}
	reason := fmt.Sprintf("%s an hour, %s a month", cost.Hourly.Format(4), cost.Monthly.Format(2))
	switch {
	case c.MaxHourly == 0 && c.BudgetMonthly == 0:
		reason += "; no limit is set"
	default:
		reason += "; within the limits"
	}
	return market.Check{ID: checkBudget, Level: market.LevelInfo, Reason: reason}
}

// sameAccount checks that the credentials are of the account that the deployment lies in.
func sameAccount(s stack.State, account string) market.Check {
	if account == s.Account || account == "" {
		return market.Check{ID: market.CheckCredentials, Level: market.LevelInfo, Reason: "the deployment lies in account " + s.Account}
	}
	err := usage("these credentials are of account %s, but %s lies in account %s", account, s.Name, s.Account)
	return market.Check{ID: market.CheckCredentials, Level: market.LevelError, Reason: err.Error(), Next: "choose the right --profile", Err: err}
}

// validated prints the checks; when one has failed, that is the error.
func (a *app) validated(ctx context.Context, c stack.Config, account string, checks []market.Check) error {
	err := refused(ctx, checks)
	doc := validateDoc{Name: c.Name, Region: c.Region, Account: account, Sandbox: a.global.sandbox, Passed: err == nil, Checks: orEmpty(checks)}
	if printErr := a.print(doc, func() string { return a.validateView(doc) }); printErr != nil {
		return printErr
	}
	if h, ok := errors.AsType[*hinted](err); ok {
		n := 0
		for _, check := range checks {
			if check.Level == market.LevelError {
				n++
			}
		}
		return &hinted{err: fmt.Errorf("%d of %d checks failed", n, len(checks)), code: h.code, kind: h.kind, details: h.details}
	}
	return err
}

func (a *app) validateView(d validateDoc) string {
	s := a.streams.OutScreen()
	status := map[market.Level]string{market.LevelInfo: levelOK, market.LevelWarning: levelWarning, market.LevelError: levelError}
	var checks []term.Check
	for _, c := range d.Checks {
		checks = append(checks, term.Check{Status: status[c.Level], Name: c.ID, Found: c.Reason, Next: c.Next})
	}
	return s.Heading(heading(d), "", d.Sandbox) + "\n" + s.Checks(checks)
}

func heading(d validateDoc) string {
	title := "Checks"
	if d.Name != "" {
		title += " for " + d.Name
	}
	if d.Region != "" {
		title += " in " + d.Region
	}
	return title
}
