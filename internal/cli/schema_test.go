package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// TestPublishedSchemas compares docs/schema with what the documents are; -update writes it.
func TestPublishedSchemas(t *testing.T) {
	folder := filepath.Join("..", "..", "docs", "schema")
	all := outputSchemas()
	for name, s := range all {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("..", folder, name+".json"), want.String())
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != len(all) {
		t.Errorf("%d files for %d schemas, %v", len(files), len(all), err)
	}
}

// TestOutputsFollowTheirSchemas takes a deployment through its life and holds every document that is printed against its
// published schema.
func TestOutputsFollowTheirSchemas(t *testing.T) {
	home := t.TempDir()
	check := func(name string, got shown, code int) {
		t.Helper()
		if got.code != code {
			t.Fatalf("%s ended with %d\n%s", name, got.code, got.err)
		}
		text := got.out
		if name == "error" {
			lines := strings.Split(strings.TrimSpace(got.err), "\n")
			text = lines[len(lines)-1]
		}
		follows(t, name, text)
	}
	check("list", run(t, home, "list", "-o", "json"), 0)
	check("costs", run(t, home, "cost", "-o", "json"), 0)
	check("iam-policy", run(t, home, "iam", "policy", "--region", "all", "--key-pair", "laptop", "-o", "json"), 0)
	check("plan", run(t, home, "plan", "demo", "--sandbox", "-o", "json"), 0)
	expect(t, run(t, home, "sandbox", "reset", "--with", "networks"), 0)
	for _, kind := range []string{"vpcs", "subnets", "security-groups", "file-systems", "key-pairs", "load-balancers"} {
		check("discover-"+kind, run(t, home, "discover", kind, "--sandbox", "-o", "json"), 0)
	}
	expect(t, run(t, home, "sandbox", "reset"), 0)
	check("error", run(t, home, "deploy", "demo", "--sandbox", "-o", "json"), exitUsage)
	check("inspect", run(t, home, "deploy", "demo", "--sandbox", "--yes", "--env", "n8n.N8N_METRICS=true", "--tags", "team=a", "-o", "json"), 0)
	check("plan", run(t, home, "plan", "demo", "-o", "json"), 0)
	check("list", run(t, home, "list", "--refresh", "-o", "json"), 0)
	check("cost", run(t, home, "cost", "demo", "-o", "json"), 0)
	check("costs", run(t, home, "cost", "-o", "json"), 0)
	check("doctor", run(t, home, "doctor", "--sandbox", "-o", "json"), 0)
	check("validate", run(t, home, "validate", "other", "--sandbox", "-o", "json"), 0)
	check("offers", run(t, home, "offers", "--sandbox", "-o", "json"), 0)
	check("images", run(t, home, "images", "--sandbox", "-o", "json"), 0)
	check("orphans", run(t, home, "orphans", "--sandbox", "-o", "json"), 0)
	check("support", run(t, home, "support", "demo", "--file", filepath.Join(home, "support.tar.gz"), "-o", "json"), 0)
	check("inspect", run(t, home, "inspect", "demo", "--refresh", "--health-check", "--show-secrets", "--yes", "-o", "json"), 0)
	check("health", run(t, home, "health", "demo", "-o", "json"), 0)
	check("logs", run(t, home, "logs", "demo", "-o", "json"), 0)
	check("logs", run(t, home, "logs", "demo", "--service", "n8n", "-o", "json"), 0)
	followed := run(t, home, "logs", "demo", "--follow", "--tail", "3", "-o", "json")
	for line := range strings.Lines(followed.out) {
		check("log-line", shown{out: line}, followed.code)
	}
	check("recover", run(t, home, "recover", "demo", "-o", "json"), 0)
	check("recoverable", run(t, home, "recover", "--sandbox", "-o", "json"), 0)
	check("config-show", run(t, home, "config", "show", "-o", "json"), 0)
	check("version", run(t, home, "version", "-o", "json"), 0)
	check("destroy", run(t, home, "destroy", "demo", "--yes", "--keep-data", "-o", "json"), 0)
	check("error", run(t, home, "inspect", "nobody", "-o", "json"), exitNotFound)
	expect(t, run(t, home, "sandbox", "fault", "machine", "storage", "--effect", "boot-fails"), 0)
	check("error", run(t, home, "deploy", "sick", "--sandbox", "--yes", "-o", "json"), exitUnhealthy)
	check("list", run(t, home, "list", "-o", "json"), 0)
	check("inspect", run(t, home, "inspect", "sick", "-o", "json"), 0)
	check("destroy", run(t, home, "destroy", "sick", "--yes", "-o", "json"), 0)

	// A damaged record is a row too.
	expect(t, run(t, home, "deploy", "hurt", "--sandbox", "--yes", "--on-failure", "keep"), exitUnhealthy)
	if err := os.WriteFile(filepath.Join(home, "deployments", "hurt", "state.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("list", run(t, home, "list", "-o", "json"), 0)
	check("recoverable", run(t, home, "recover", "--sandbox", "-o", "json"), 0)
	check("recover", run(t, home, "recover", "hurt", "--sandbox", "-o", "json"), 0)
}

// The emptiest documents that can be made hold no null where a list is promised.
func TestEmptyDocumentsFollowTheirSchemas(t *testing.T) {
	for name, document := range map[string]any{
		"inspect": inspect(stack.State{Config: stack.NewConfig(), Records: map[stack.Key]stack.Record{}}, false, time.Time{}, ""),
		"destroy": removal(stack.State{}, engine.Removed{}, stack.Cost{}),
		"error":   errorDoc{explain(t.Context(), engine.ErrInterrupted)},
	} {
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		follows(t, name, string(text))
	}
}

func TestTheValidatorFindsWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`[{}]`:                          `"name" is missing`,
		`{}`:                            `is object, not array`,
		`[{"name": 1}]`:                 `.name: is number, not string`,
		`[{"status": "well"}]`:          `.status: "well" is none of`,
		`[{"changed": null}]`:           `.changed: is null, not array`,
		`[{"unheard": true}]`:           `.unheard: is not in the schema`,
		`[{"created_at": "yesterday"}]`: `.created_at: fits none of`,
	} {
		if got := problemsOf(t, "list", text); !slices.ContainsFunc(got, func(p string) bool { return strings.Contains(p, want) }) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestConfigInitIsAValidConfig(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "team.yaml")
	got := run(t, folder, "config", "init", path)
	expect(t, got, 0)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again := run(t, folder, "config", "init", path)
	expect(t, again, exitUsage, "exists already, and is left as it is")
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(text, after) {
		t.Errorf("it was changed: %v", err)
	}
	expect(t, run(t, folder, "config", "init", filepath.Join(folder, "nowhere", "x.yaml")), exitUsage, "no such file or directory")

	// As it is it chooses nothing; with every key uncommented it chooses the defaults, which fit the schema.
	expect(t, run(t, folder, "plan", "demo", "--config", path, "--sandbox"), 0)
	var lines []string
	for line := range strings.Lines(string(text)) {
		if key, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(key, " ") && strings.TrimSpace(key) != "" {
			line = key
		}
		lines = append(lines, line)
	}
	chosen := filepath.Join(folder, "chosen.yaml")
	if err := os.WriteFile(chosen, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := yaml.Unmarshal([]byte(strings.Join(lines, "")), &raw); err != nil {
		t.Fatal(err)
	}
	if len(raw) != len(stack.Fields()) {
		t.Errorf("%d keys of %d: %v", len(raw), len(stack.Fields()), slices.Sorted(maps.Keys(raw)))
	}
	maps.DeleteFunc(raw, func(_ string, v any) bool { return v == nil })
	asJSON, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	follows(t, "config", string(asJSON))
	shown := run(t, folder, "config", "show", "--config", chosen, "-o", "json")
	expect(t, shown, 0)
	for _, key := range as[[]keyDoc](t, shown) {
		defaults := stack.NewConfig()
		if got, want := fmt.Sprint(key.Value), fmt.Sprint(defaults.Value(key.Key)); got != want && key.Key != "region" {
			if got != "<nil>" && got != "map[]" && got != "[]" && got != "0" {
				t.Errorf("%s is %s, not the default %s", key.Key, got, want)
			}
		}
	}
}

// follows checks a document against a published schema. Of what we print ourselves everything must stand in it.
func follows(t *testing.T, name, text string) {
	t.Helper()
	for _, problem := range problemsOf(t, name, text) {
		t.Errorf("%s%s", name, problem)
	}
}

func problemsOf(t *testing.T, name, text string) []string {
	t.Helper()
	found, err := problems(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// problems are what a document has that its published schema does not allow.
func problems(name, text string) ([]string, error) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema", name+".json"))
	if err != nil {
		return nil, err
	}
	var s map[string]any
	var document any
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", name, err, text)
	}
	return mismatches("", s, document), nil
}

// mismatches holds a value against the part of JSON Schema that our schemas use.
func mismatches(at string, s map[string]any, value any) []string {
	if some, ok := s["anyOf"].([]any); ok {
		for _, one := range some {
			if len(mismatches(at, one.(map[string]any), value)) == 0 {
				return nil
			}
		}
		return []string{at + ": fits none of the schemas"}
	}
	if want, ok := s["type"].(string); ok && want != typeOf(value) && (want != "number" || typeOf(value) != "integer") {
		return []string{fmt.Sprintf("%s: is %s, not %s", at, strings.Replace(typeOf(value), "integer", "number", 1), want)}
	}
	if values, ok := s["enum"].([]any); ok && !slices.Contains(values, value) {
		return []string{fmt.Sprintf("%s: %q is none of %v", at, value, values)}
	}
	if constant, ok := s["const"]; ok && constant != value {
		return []string{fmt.Sprintf("%s: %v is not %v", at, value, constant)}
	}
	var all []string
	switch value := value.(type) {
	case float64:
		if low, ok := s["minimum"].(float64); ok && value < low {
			all = append(all, fmt.Sprintf("%s: %v is less than %v", at, value, low))
		}
		if high, ok := s["maximum"].(float64); ok && value > high {
			all = append(all, fmt.Sprintf("%s: %v is more than %v", at, value, high))
		}
	case string:
		if _, err := time.Parse(time.RFC3339, value); s["format"] == "date-time" && err != nil {
			all = append(all, fmt.Sprintf("%s: %q is no time", at, value))
		}
	case []any:
		items, said := s["items"].(map[string]any)
		for i, item := range value {
			if said {
				all = append(all, mismatches(fmt.Sprintf("%s[%d]", at, i), items, item)...)
			}
		}
	case map[string]any:
		if len(s) > 0 { // the empty schema is that of anything
			all = append(all, objectMismatches(at, s, value)...)
		}
	}
	return all
}

func objectMismatches(at string, s, object map[string]any) []string {
	var all []string
	if required, ok := s["required"].([]any); ok {
		for _, name := range required {
			if _, ok := object[name.(string)]; !ok {
				all = append(all, fmt.Sprintf("%s: %q is missing", at, name))
			}
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		rest, open := s["additionalProperties"].(map[string]any)
		if property, ok := properties[name].(map[string]any); ok {
			all = append(all, mismatches(at+"."+name, property, object[name])...)
		} else if open {
			all = append(all, mismatches(at+"."+name, rest, object[name])...)
		} else {
			all = append(all, fmt.Sprintf("%s.%s: is not in the schema", at, name))
		}
	}
	return all
}

func typeOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if value == float64(int64(value)) {
			return "integer"
		}
		return "number"
	default:
		return "object"
	}
}
