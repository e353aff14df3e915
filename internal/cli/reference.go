package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"geusemaker/internal/stack"
)

// newReference prints the reference in the forms that packages and the documentation need. It is made from the commands
// themselves, so it cannot say anything else than they do.
func newReference(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "reference commands|configuration|man|operations", Short: "Print the reference as Markdown, or as a man page", Hidden: true,
		Args: cobra.ExactArgs(1), ValidArgs: []string{"commands", "configuration", "man", "operations"},
		RunE: func(cmd *cobra.Command, args []string) error {
			pages := map[string]func(*cobra.Command) string{"commands": commandsPage, "configuration": configurationPage, "man": manPage, "operations": operationsPage}
			page, ok := pages[args[0]]
			if !ok {
				return usage("there is no reference %q; use commands, configuration, man or operations", args[0])
			}
			_, err := fmt.Fprint(a.streams.Out, page(cmd.Root()))
			return err
		},
	}
}

// documented lists the commands that people use, with those beneath them, in the order of the help.
func documented(root *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, c := range root.Commands() {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		all = append(all, c)
		all = append(all, documented(c)...)
	}
	return all
}

// flagRow is one flag as a reference shows it.
type flagRow struct{ name, value, help string }

// flagRows lists the flags of a command, without those of the configuration, which the command says it takes.
func flagRows(flags *pflag.FlagSet) (rows []flagRow, configured bool) {
	keys := map[string]bool{}
	for _, f := range stack.Fields() {
		keys[f.Flag()] = true
	}
	flags.VisitAll(func(f *pflag.Flag) {
		switch {
		case f.Hidden || f.Name == "help":
		case keys[f.Name] && flags.Lookup("config") != nil:
			configured = true
		default:
			value, help := pflag.UnquoteUsage(f)
			name := "--" + f.Name
			if f.Shorthand != "" {
				name = "-" + f.Shorthand + ", " + name
			}
			if f.Value.Type() == "bool" {
				value = ""
			}
			rows = append(rows, flagRow{name, value, help + defaultOf(f)})
		}
	})
	return rows, configured
}

func defaultOf(f *pflag.Flag) string {
	if slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) || strings.Contains(f.Usage, "default") {
		return ""
	}
	return " (default " + f.DefValue + ")"
}

// commandsPage is docs/commands.md.
func commandsPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n\nMade from the program itself by `geusemaker reference commands`. Every command takes the global flags; each flag can be\nset by an environment variable too (`geusemaker help environment`). Exit codes: `geusemaker help exit-codes`.\n")
	b.WriteString("\n## Global flags\n\n" + flagTable(globalFlags(root)))
	for _, c := range documented(root) {
		fmt.Fprintf(&b, "\n%s %s\n\n", strings.Repeat("#", 1+strings.Count(c.CommandPath(), " ")), c.CommandPath())
		if !c.Runnable() && !c.HasSubCommands() {
			b.WriteString("```\n" + strings.TrimSpace(c.Long) + "\n```\n")
			continue
		}
		text := c.Long
		if text == "" {
			text = c.Short + "."
		}
		b.WriteString(strings.TrimSpace(text) + "\n")
		if c.Runnable() {
			fmt.Fprintf(&b, "\n    %s\n", c.UseLine())
		}
		if len(c.Aliases) > 0 {
			fmt.Fprintf(&b, "\nAlso: `%s`.\n", strings.Join(c.Aliases, "`, `"))
		}
		rows, configured := flagRows(c.LocalNonPersistentFlags())
		if len(rows) > 0 {
			b.WriteString("\n" + flagTable(rows))
		}
		if configured {
			b.WriteString("\nAnd every key of the [configuration](configuration.md) as a flag.\n")
		}
		if c.Example != "" {
			b.WriteString("\nExamples:\n\n" + indented(c.Example) + "\n")
		}
	}
	return b.String()
}

func globalFlags(root *cobra.Command) []flagRow {
	rows, _ := flagRows(root.PersistentFlags())
	return rows
}

func flagTable(rows []flagRow) string {
	var b strings.Builder
	b.WriteString("| flag | |\n|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.TrimSpace(r.name+" "+r.value), strings.ReplaceAll(r.help, "|", `\|`))
	}
	return b.String()
}

func indented(text string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		lines = append(lines, "    "+strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

// configurationPage is docs/configuration.md.
func configurationPage(*cobra.Command) string {
	var b strings.Builder
	b.WriteString(`# Configuration

Made from the program itself by ` + "`geusemaker reference configuration`" + `.

Every key is a line in a config file, a flag and an environment variable, under one name: ` + "`instance_type`, `--instance-type`,\n`GEUSEMAKER_INSTANCE_TYPE`" + `. A flag wins over the variable, the variable over the file, the file over the default.

    geusemaker config init team.yaml                   # a file with every key, its meaning and its default
    geusemaker config show --config team.yaml          # what holds, and where each value comes from
    geusemaker config schema > geusemaker.schema.json  # for editors that complete and check
    geusemaker plan team --config team.yaml            # what it would make and cost

An unknown key, or a value that cannot be, is an error that names the key, the place it comes from and the fix.
`)
	group := ""
	for _, f := range stack.Fields() {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&b, "\n## %s\n\n| key | values | default | |\n|---|---|---|---|\n", group)
		}
		names := code(f.Key)
		if len(f.Aliases) > 0 {
			names += ", also " + code(strings.Join(f.Aliases, "`, `"))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", names, valuesOf(f), code(f.Default), strings.ReplaceAll(f.Help, "|", `\|`))
	}
	return b.String()
}

func valuesOf(f stack.Field) string {
	switch {
	case len(f.Values) > 0:
		return "`" + strings.Join(f.Values, "`, `") + "`"
	case f.Type == "int":
		return fmt.Sprintf("%d to %d", f.Min, f.Max)
	}
	return map[string]string{"string": "text", "bool": "`true`, `false`", "usd": "dollars", "list": "list", "map": "name=value", "env": "service.NAME=value"}[f.Type]
}

func code(value string) string {
	if value == "" {
		return ""
	}
	return "`" + value + "`"
}

// manPage is geusemaker(1), in the man macros (groff_man(7)).
func manPage(root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH GEUSEMAKER 1 \"\" \"geusemaker\" \"User Commands\"\n.SH NAME\ngeusemaker \\- %s\n", roff(lowerFirst(root.Short)))
	b.WriteString(".SH SYNOPSIS\n.B geusemaker\n.I command\n[\\fIflags\\fR]\n.SH DESCRIPTION\n" + roff(root.Long) + "\n.SH COMMANDS\n")
	for _, c := range documented(root) {
		if !c.Runnable() {
			continue
		}
		text := c.Long
		if text == "" {
			text = c.Short + "."
		}
		fmt.Fprintf(&b, ".SS %s\n%s\n", roff(strings.TrimSuffix(c.UseLine(), " [flags]")), roff(text))
		rows, configured := flagRows(c.LocalNonPersistentFlags())
		b.WriteString(manFlags(rows))
		if configured {
			b.WriteString(".PP\nAnd every key of the configuration as a flag.\n")
		}
	}
	b.WriteString(".SH OPTIONS\n" + manFlags(globalFlags(root)) + ".SH CONFIGURATION\nEvery key is a line in a config file, a flag and an environment variable.\n")
	for _, f := range stack.Fields() {
		help := f.Help
		if len(f.Values) > 0 {
			help += ": " + strings.Join(f.Values, ", ")
		}
		if f.Default != "" {
			help += " (default " + f.Default + ")"
		}
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(f.Key), roff(help))
	}
	for _, topic := range []struct{ name, section string }{{"environment", "ENVIRONMENT"}, {"exit-codes", "EXIT STATUS"}} {
		for _, c := range root.Commands() {
			if c.Name() == topic.name {
				fmt.Fprintf(&b, ".SH %s\n.nf\n%s\n.fi\n", topic.section, roff(c.Long))
			}
		}
	}
	return b.String()
}

func manFlags(rows []flagRow) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(r.name+" "+r.value)), roff(r.help))
	}
	return b.String()
}

// roff writes text so that troff takes none of it for a command.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", "").Replace(strings.TrimSpace(text))
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case line == "":
			line = ".sp"
		case strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'"):
			line = `\&` + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
