package permission

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTheTableNamesWhatTheCodeCalls reads the source of everything that speaks to AWS. A call needs an input, whose type names
// the operation.
func TestTheTableNamesWhatTheCodeCalls(t *testing.T) {
	called := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "sandbox" || entry.Name() == "apitest") { // what answers, and what only tests
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			return inputs(path, called)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, o := range Operations() {
		listed[o.Service+" "+o.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(called)) {
		if !listed[name] {
			t.Errorf("%s is called, but not in the table: add a row, and a script that leads to it", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if !called[name] {
			t.Errorf("%s is in the table, but nothing calls it", name)
		}
	}
	if len(called) < 50 {
		t.Errorf("only %d operations were found: the source is not where it was", len(called))
	}
}

// inputs adds the operations whose inputs a file names.
func inputs(path string, called map[string]bool) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	services := map[string]string{} // by the name of the package
	for _, i := range file.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		if last, found := strings.CutPrefix(name, "github.com/aws/aws-sdk-go-v2/service/"); found && !strings.Contains(last, "/") {
			local := last
			if i.Name != nil {
				local = i.Name.Name
			}
			services[local] = serviceOf(last)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if of, ok := s.X.(*ast.Ident); ok && services[of.Name] != "" {
				if operation, found := strings.CutSuffix(s.Sel.Name, "Input"); found {
					called[services[of.Name]+" "+operation] = true
				}
			}
		}
		return true
	})
	return nil
}

// serviceOf is the SDK's name of the service of a package.
func serviceOf(folder string) string {
	for _, name := range []string{ec2, efs, iam, ssm, sts, pricing, quotas, elb} {
		if strings.EqualFold(strings.ReplaceAll(name, " ", ""), folder) {
			return name
		}
	}
	return folder
}
