package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"
)

// The forms of output.
const (
	outputTable = "table"
	outputJSON  = "json"
	outputYAML  = "yaml"
	outputCSV   = "csv" // of commands whose annotation says so
)

// csvAnnotation marks the commands that can print CSV.
const csvAnnotation = "csv"

// outputForms are the forms in which the command can print its result.
func outputForms(cmd *cobra.Command) []string {
	forms := []string{outputTable, outputJSON, outputYAML}
	if _, ok := cmd.Annotations[csvAnnotation]; ok {
		forms = append(forms, outputCSV)
	}
	return forms
}

// print writes a document to the output stream in the form that was asked for. The table form is the view's.
func (a *app) print(document any, view func() string) error {
	switch a.global.output {
	case outputJSON:
		enc := json.NewEncoder(a.streams.Out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(document)
	case outputYAML:
		return writeYAML(a.streams.Out, document)
	default:
		_, err := fmt.Fprint(a.streams.Out, view())
		return err
	}
}

// writeYAML goes through JSON, so that both forms have the same keys and the same numbers.
func writeYAML(w io.Writer, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return err
	}
	block(&node)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&node); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// block turns the flow style of JSON into YAML's own.
func block(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	for _, child := range n.Content {
		block(child)
	}
}
