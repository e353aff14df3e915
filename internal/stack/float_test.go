package stack_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// amounts are the names under which money goes.
var amounts = regexp.MustCompile(`(?i)^(hourly|daily|monthly|todate|ondemand|ondemandmonthly|amount|price|cost|money|dollars?|spent|sum|budget.*|max_?hourly|list)$`)

// An order of offers may divide a price by what a machine is worth: no amount comes out of it.
var noAmounts = []string{"ranking.go"}

// TestMoneyIsNeverAFloat looks for conversions of amounts to floats in everything that ships, but for the pretend account,
// which makes up its prices.
func TestMoneyIsNeverAFloat(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "sandbox" {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || slices.Contains(noAmounts, d.Name()) {
			return nil
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && floats(call.Fun) && len(call.Args) == 1 && holdsMoney(call.Args[0]) {
				t.Errorf("%s: money becomes a float", set.Position(call.Pos()))
			}
			return true
		})
		return nil
	})
	if err != nil || files < 200 {
		t.Fatalf("%d files: %v", files, err)
	}
}

// floats reports whether a call is a conversion to a float or reads one.
func floats(f ast.Expr) bool {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name == "float64" || f.Name == "float32"
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		return ok && x.Name == "math"
	}
	return false
}

func holdsMoney(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && amounts.MatchString(id.Name) {
			found = true
		}
		return !found
	})
	return found
}
