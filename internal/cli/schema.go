package cli

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"geusemaker/internal/cloud/permission"
	"geusemaker/internal/stack"
)

// schemaVersion is the JSON Schema that the schemas are written in.
const schemaVersion = "https://json-schema.org/draft/2020-12/schema"

// schema is a JSON schema, or a part of one.
type schema map[string]any

// outputSchemas are the published schemas of the JSON that commands print, by the name of their file.
func outputSchemas() map[string]schema {
	documents := map[string]struct {
		title    string
		document any
	}{
		"list":                     {"what `geusemaker list -o json` prints", []listDoc{}},
		"inspect":                  {"what `geusemaker inspect -o json` and a finished `geusemaker deploy -o json` print", inspectDoc{}},
		"plan":                     {"what `geusemaker plan -o json` prints", planDoc{}},
		"destroy":                  {"what `geusemaker destroy -o json` prints", destroyDoc{}},
		"health":                   {"what `geusemaker health -o json` prints", healthDoc{}},
		"cost":                     {"what `geusemaker cost NAME -o json` prints", costDoc{}},
		"costs":                    {"what `geusemaker cost -o json` prints", costsDoc{}},
		"doctor":                   {"what `geusemaker doctor -o json` prints", doctorDoc{}},
		"validate":                 {"what `geusemaker validate -o json` prints", validateDoc{}},
		"offers":                   {"what `geusemaker offers -o json` prints", offersDoc{}},
		"images":                   {"what `geusemaker images -o json` prints", imagesDoc{}},
		"orphans":                  {"what `geusemaker orphans -o json` prints", orphansDoc{}},
		"support":                  {"what `geusemaker support -o json` prints", supportDoc{}},
		"discover-vpcs":            {"what `geusemaker discover vpcs -o json` prints", discoverDoc[vpcDoc]{}},
		"discover-subnets":         {"what `geusemaker discover subnets -o json` prints", discoverDoc[subnetDoc]{}},
		"discover-security-groups": {"what `geusemaker discover security-groups -o json` prints", discoverDoc[groupDoc]{}},
		"discover-file-systems":    {"what `geusemaker discover file-systems -o json` prints", discoverDoc[fileSystemDoc]{}},
		"discover-key-pairs":       {"what `geusemaker discover key-pairs -o json` prints", discoverDoc[keyPairDoc]{}},
		"discover-load-balancers":  {"what `geusemaker discover load-balancers -o json` prints", discoverDoc[balancerDoc]{}},
		"iam-policy":               {"what `geusemaker iam policy -o json` prints", policyDoc{}},
		"logs":                     {"what `geusemaker logs NAME -o json` prints", logDoc{}},
		"log-line":                 {"a line of what `geusemaker logs NAME --follow -o json` prints", logLine{}},
		"recover":                  {"what `geusemaker recover NAME -o json` prints", recoveredDoc{}},
		"recoverable":              {"what `geusemaker recover -o json` prints", []candidateDoc{}},
		"import":                   {"what `geusemaker import FILE -o json` prints", importedDoc{}},
		"connect":                  {"what `geusemaker connect NAME -o json` prints when all ports are open", connectDoc{}},
		"config-show":              {"what `geusemaker config show -o json` prints", []keyDoc{}},
		"version":                  {"what `geusemaker version -o json` prints", versionDoc{}},
		"error":                    {"what a command with -o json writes to the error stream when it fails", errorDoc{}},
	}
	all := map[string]schema{"config": configSchema()}
	for name, d := range documents {
		s := schemaOf(reflect.TypeOf(d.document))
		s["$schema"], s["title"] = schemaVersion, d.title
		all[name] = s
	}
	return all
}

// closedSets are the values of the types that have a closed set of them.
func closedSets() map[reflect.Type][]string {
	return map[reflect.Type][]string{
		reflect.TypeFor[stack.Phase]():        texts(phases()),
		reflect.TypeFor[stack.Health]():       texts([]stack.Health{stack.Healthy, stack.Unhealthy, stack.Starting, stack.Unreachable, stack.HealthUnknown}),
		reflect.TypeFor[stack.Status]():       texts([]stack.Status{stack.StatusPending, stack.StatusCreated, stack.StatusReady, stack.StatusDeleting}),
		reflect.TypeFor[stack.Action]():       texts([]stack.Action{stack.ActionCreate, stack.ActionAdopt, stack.ActionKeep, stack.ActionDelete}),
		reflect.TypeFor[permission.Purpose](): texts(permission.Purposes()),
		reflect.TypeFor[stack.Provenance]():   texts([]stack.Provenance{stack.Created, stack.Reused, stack.Added}),
	}
}

func texts[T ~string](values []T) []string {
	var all []string
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

// schemaOf describes what encoding/json makes of a type.
func schemaOf(t reflect.Type) schema {
	switch t {
	case reflect.TypeFor[time.Time]():
		return schema{"type": "string", "format": "date-time"}
	case reflect.TypeFor[stack.Money]():
		return schema{"type": "number", "description": "US dollars, exact"}
	case reflect.TypeFor[stack.Config]():
		s := configSchema()
		delete(s, "$schema")
		delete(s, "title")
		return s
	}
	if values, ok := closedSets()[t]; ok {
		return schema{"type": "string", "enum": values}
	}
	switch t.Kind() {
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return schema{"type": "integer"}
	case reflect.Float64:
		return schema{"type": "number"}
	case reflect.Pointer:
		return schema{"anyOf": []schema{schemaOf(t.Elem()), {"type": "null"}}}
	case reflect.Slice:
		return schema{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		properties, required := schema{}, []string{}
		addFields(t, properties, &required)
		return schema{"type": "object", "properties": properties, "required": required}
	default:
		return schema{} // anything
	}
}

// addFields adds the fields of a struct, with those of what it embeds.
func addFields(t reflect.Type, properties schema, required *[]string) {
	for f := range t.Fields() {
		if f.Anonymous {
			addFields(f.Type, properties, required)
			continue
		}
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		name = cmp.Or(name, f.Name)
		properties[name] = schemaOf(f.Type)
		if !strings.Contains(rest, "omit") {
			*required = append(*required, name)
		}
	}
}

// configSchema describes a config file: what the table of keys says.
func configSchema() schema {
	properties := schema{}
	for _, f := range stack.Fields() {
		s := fieldSchema(f)
		s["description"] = f.Help
		properties[f.Key] = s
		for _, alias := range f.Aliases {
			old := maps.Clone(s)
			if f.Key == "market" {
				old = schema{"type": "boolean"} // use_spot is a yes or no
			}
			old["deprecated"], old["description"] = true, "the same as "+f.Key
			delete(old, "default")
			properties[alias] = old
		}
	}
	return schema{
		"$schema": schemaVersion, "title": "a config file of geusemaker", "type": "object",
		"properties": properties, "additionalProperties": false,
	}
}

func fieldSchema(f stack.Field) schema {
	text := schema{"type": "string"}
	var s schema
	switch f.Type {
	case "bool":
		s = schema{"type": "boolean", "default": false}
	case "int":
		s = schema{"type": "integer", "minimum": f.Min, "maximum": f.Max}
		if f.Default == "" {
			s = schema{"anyOf": []schema{s, {"const": 0}}}
		}
	case "usd":
		s = schema{"type": "number", "minimum": 0}
	case "list":
		s = schema{"type": "array", "items": text}
	case "map":
		s = schema{"type": "object", "additionalProperties": text}
	case "env":
		s = schema{"type": "object", "additionalProperties": schema{"type": "object", "additionalProperties": text}}
	default:
		s = maps.Clone(text)
		if len(f.Values) > 0 {
			s["enum"] = slices.Clone(f.Values)
		}
	}
	if f.Default != "" {
		c := stack.NewConfig()
		s["default"] = c.Value(f.Key)
	}
	return s
}
