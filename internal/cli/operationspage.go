package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/permission"
)

// operationsPage is docs/aws-operations.md.
func operationsPage(*cobra.Command) string {
	var b strings.Builder
	b.WriteString(`# What geusemaker asks of AWS

Made from the program itself by ` + "`geusemaker reference operations`" + `. Every operation that it can call, for which purpose, why, and
what IAM has to allow for it. ` + "`geusemaker iam policy`" + ` makes policies of it; [security](security.md) tells what they cannot narrow.

Nothing here is only claimed. The table names exactly what the source code calls and what the scripts in
` + "`testdata/script`" + ` make it ask. Each of those requests must be allowed by the policies of its command, and none of their
actions may be left over (` + "`go test ./internal/cli -run TestScripts`" + `). And each must obey the API model that AWS publishes:
members, types, enumerations, lengths, ranges and patterns (` + "`make conformance`" + `, which holds the policies against the Service
Authorization Reference, too). Where the last column says moto, moto was asked over HTTP and agreed.

| service | operation | for | why | IAM | also asked of |
|---|---|---|---|---|---|
`)
	for _, o := range permission.Operations() {
		var purposes, actions []string
		for _, p := range o.Purposes {
			purposes = append(purposes, string(p))
		}
		for _, action := range o.Actions() {
			actions = append(actions, code(action))
		}
		if len(actions) == 0 {
			actions = []string{"nothing"}
		}
		other := ""
		if o.Moto {
			other = "moto"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", o.Service, o.Name, strings.Join(purposes, ", "), o.Why, strings.Join(actions, ", "), other)
	}
	return b.String()
}
