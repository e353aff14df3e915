package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

func addAuditFlag(cmd *cobra.Command, audit *bool) {
	cmd.Flags().BoolVar(audit, "audit", false, "show every rule of the security groups with its port, source and reason (in JSON they are in the plan anyway)")
}

// auditSection lists every rule that will hold.
func auditSection(in *intention) term.Section {
	gates := stack.Audit(in.graph, in.state.Facts)
	t := &term.Table{Columns: []term.Column{{Name: "GROUP"}, {Name: "WAY"}, {Name: "PORTS"}, {Name: "PEER"}, {Name: "REASON", Min: 16}, {Name: "ORIGIN", Drop: 1}}}
	for _, g := range gates {
		ports := g.Ports
		if g.Protocol != stack.Everything {
			ports = g.Protocol + " " + ports
		}
		t.Rows = append(t.Rows, term.Row{Cells: []string{string(g.Group), g.Direction, ports, g.Peer, g.Reason, origin(g.Provenance)}})
	}
	return term.Section{Title: fmt.Sprintf("Security group rules (%d)", len(gates)), Table: t}
}

// auditView is the list of rules by itself, for a deploy that does not show its plan.
func (a *app) auditView(in *intention) string {
	return a.streams.ErrScreen().Sections(auditSection(in)) + "\n"
}

// exposure warns of ports that are open to the whole internet. That of the certificate authority is none of the user's
// services.
func exposure(in *intention) []string {
	ports := stack.Exposed(stack.Audit(in.graph, in.state.Facts), stack.ReasonChallenge)
	if len(ports) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("PUBLIC: everybody on the internet can reach the ports %s of the machine; only its logins and tokens stand in between", strings.Join(ports, ", "))}
}
