package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/stack"
)

// globals are the flags that every command takes.
type globals struct {
	output   string
	region   string
	profile  string
	home     string
	sandbox  bool
	yes      bool
	quiet    bool
	verbose  bool
	noColor  bool
	access   bool
	progress string
	logFile  string
	timeout  time.Duration
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "geusemaker",
		Short: "A complete self-hosted AI stack on your own AWS account, with one command",
		Long: `geusemaker puts n8n, Ollama, Qdrant, Crawl4AI and PostgreSQL on your own AWS account: network, storage,
machine and services, until they answer. Then it lists, inspects and removes what it made.

Try it without an account:  geusemaker deploy demo --sandbox --yes`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
		Version:           thisVersion().String(), // for --version
	}
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		fmt.Fprint(cmd.OutOrStdout(), a.streams.OutScreen().Help(help(cmd)))
	})
	root.Flags().Bool("version", false, "show the version")
	a.addGlobalFlags(root)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	root.AddGroup(&cobra.Group{ID: "main", Title: "Deployments:"}, &cobra.Group{ID: "more", Title: "More:"})
	for _, cmd := range []*cobra.Command{newDeploy(a), newPlan(a), newList(a), newInspect(a), newLogs(a), newHealth(a), newCost(a), newConnect(a), newDestroy(a)} {
		cmd.GroupID = "main"
		root.AddCommand(cmd)
	}
	for _, cmd := range []*cobra.Command{newDiscover(a), newOffers(a), newImages(a), newValidate(a), newConfig(a), newDoctor(a), newIAM(a), newSupport(a), newOrphans(a), newRecover(a), newImport(a), newSandbox(a), newVersion(a)} {
		cmd.GroupID = "more"
		root.AddCommand(cmd)
	}
	root.SetHelpCommandGroupID("more")
	root.SetCompletionCommandGroupID("more")
	root.AddCommand(newEnvironmentTopic(), newExitCodesTopic(), newReference(a))
	a.completeReuse(root, sortedKeys(reusable()))
	return root
}

// help is what a command is for and how it is used.
func help(cmd *cobra.Command) string {
	text := strings.TrimSpace(cmp.Or(cmd.Long, cmd.Short)) + "\n"
	if cmd.Runnable() || cmd.HasSubCommands() {
		text += "\n" + cmd.UsageString()
	}
	return text
}

func (a *app) addGlobalFlags(root *cobra.Command) {
	flags, g := root.PersistentFlags(), &a.global
	flags.StringVarP(&g.output, "output", "o", outputTable, "form of the result: table, json, yaml")
	flags.StringVar(&g.region, "region", "", "AWS region (default: AWS_REGION, then the profile's, then us-east-1)")
	flags.StringVar(&g.profile, "profile", "", "AWS profile")
	flags.StringVar(&g.home, "home", "", "folder for the records of deployments (default ~/.geusemaker)")
	flags.BoolVar(&g.sandbox, "sandbox", false, "use a pretend AWS account: no credentials, no cost")
	flags.BoolVarP(&g.yes, "yes", "y", false, "do not ask")
	flags.BoolVarP(&g.quiet, "quiet", "q", false, "show only results, warnings and errors")
	flags.BoolVarP(&g.verbose, "verbose", "v", false, "show every AWS call")
	flags.BoolVar(&g.noColor, "no-color", false, "no colour")
	flags.BoolVar(&g.access, "accessible", false, "for screen readers: nothing is drawn again, words stand for signs, rows are sentences")
	flags.StringVar(&g.progress, "progress", "auto", "progress on the error stream: auto, tty, plain, json, quiet")
	flags.StringVar(&g.logFile, "log-file", "", "append a line of JSON to this file for every event and AWS call")
	flags.DurationVar(&g.timeout, "timeout", 0, "give up after this long, such as 30m")
	complete(root, "region", cloud.RegionNames)
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{outputTable, outputJSON, outputYAML}, cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("progress", cobra.FixedCompletions(progressModes, cobra.ShellCompDirectiveNoFileComp))
}

var progressModes = []string{"auto", "tty", "plain", "json", "quiet"}

// prepare reads the global settings, flags before environment, and refuses those that make no sense.
func (a *app) prepare(cmd *cobra.Command) error {
	flags, g := cmd.Flags(), &a.global
	text := map[string]*string{"output": &g.output, "profile": &g.profile, "home": &g.home, "progress": &g.progress, "log-file": &g.logFile}
	for name, p := range text {
		if v := a.getenv(envName(name)); v != "" && !flags.Changed(name) {
			*p = v
		}
	}
	if err := a.switches(cmd); err != nil {
		return err
	}
	if v := a.getenv(envName("timeout")); v != "" && !flags.Changed("timeout") {
		d, err := time.ParseDuration(v)
		if err != nil {
			return usage("%s: %q is not a duration such as 30m", envName("timeout"), v)
		}
		g.timeout = d
	}
	if forms := outputForms(cmd); !slices.Contains(forms, g.output) {
		bad := g.output
		g.output = outputTable
		return usage("--output: %q is not known; use %s", bad, strings.Join(forms, ", "))
	}
	if !slices.Contains(progressModes, g.progress) {
		return usage("--progress: %q is not known; use %s", g.progress, strings.Join(progressModes, ", "))
	}
	if g.timeout < 0 {
		return usage("--timeout: %s is negative", g.timeout)
	}
	if g.noColor {
		a.streams.DisableColor()
	}
	g.access = g.access || a.getenv("ACCESSIBLE") != "" && !flags.Changed("accessible")
	if g.access {
		a.streams.MakeAccessible()
	}
	return a.openLog()
}

// switches reads the global yes-or-no settings of the environment as strictly as those of the configuration: a word that is
// taken for a yes by mistake may destroy something.
func (a *app) switches(cmd *cobra.Command) error {
	g := &a.global
	all := map[string]*bool{"sandbox": &g.sandbox, "yes": &g.yes, "quiet": &g.quiet, "verbose": &g.verbose, "no-color": &g.noColor, "accessible": &g.access}
	for _, name := range sortedKeys(all) {
		v := strings.TrimSpace(a.getenv(envName(name)))
		if v == "" || cmd.Flags().Changed(name) {
			continue
		}
		on, err := strconv.ParseBool(v)
		if err != nil {
			return usage("%s: %q is neither true nor false; use 1 or 0", envName(name), v)
		}
		*all[name] = on
	}
	return nil
}

func envName(flag string) string {
	return "GEUSEMAKER_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// refuseUnknown makes words that no command knows mistakes of usage. It wants the streams of the root to be set: cobra's own
// commands, which are among those that learn it, keep them from when they are made.
func refuseUnknown(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	knowTheirCommands(root)
	helpKnowsCommands(root)
	argumentsAreUsage(root)
}

// knowTheirCommands lets every command that only holds others refuse a word that is none of them. Cobra shows its help then
// and ends well, so a script would never learn of its typing error.
func knowTheirCommands(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		knowTheirCommands(sub)
	}
	if !cmd.HasSubCommands() || cmd.Runnable() {
		return
	}
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return cmd.Help()
	}
}

// helpKnowsCommands lets help refuse what there is no help about.
func helpKnowsCommands(root *cobra.Command) {
	help, _, err := root.Find([]string{"help"})
	if err != nil || help == root {
		return
	}
	show := help.Run
	help.Run = nil
	help.RunE = func(cmd *cobra.Command, args []string) error {
		about, rest, err := root.Find(args)
		switch {
		case err != nil:
			return &usageError{err: err}
		case len(rest) > 0 && about.HasSubCommands():
			return unknownCommand(about, rest[0])
		}
		show(cmd, args)
		return nil
	}
}

// argumentsAreUsage makes wrong arguments of every command mistakes of usage.
func argumentsAreUsage(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		argumentsAreUsage(sub)
	}
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err == nil || errors.As(err, new(*usageError)) {
			return err
		}
		return &usageError{err: err, hints: []string{fmt.Sprintf("`%s --help` shows how", cmd.CommandPath())}}
	}
}

// flagError names the flag that was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	e := &usageError{err: err, hints: []string{fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath())}}
	name, found := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !found {
		return e
	}
	var known []string
	for _, f := range stack.Fields() {
		if cmd.Flags().Lookup(f.Flag()) != nil {
			known = append(known, f.Flag())
		}
	}
	known = append(known, flagNames(cmd)...)
	if near := stack.Nearest(name, known); near != "" {
		e.hints = append([]string{fmt.Sprintf("did you mean --%s?", near)}, e.hints...)
	}
	return e
}

// unknownCommand names what there is: of a few commands all, of many the nearest.
func unknownCommand(parent *cobra.Command, word string) error {
	var known []string
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			known = append(known, c.Name())
		}
	}
	text := fmt.Sprintf("there is no command %q", word)
	if parent.HasParent() {
		text += "; use " + strings.Join(known, ", ")
	}
	help := strings.Replace(parent.CommandPath(), "geusemaker", "geusemaker help", 1)
	e := &usageError{err: errors.New(text), hints: []string{"`" + help + "` lists the commands"}}
	if near := stack.Nearest(word, known); near != "" {
		e.hints = append([]string{fmt.Sprintf("did you mean `%s %s`?", parent.CommandPath(), near)}, e.hints...)
	}
	return e
}
