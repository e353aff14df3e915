package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// value is one field of a Config behind a common face, so that a single table serves flags, files, environment and output.
type value interface {
	set(raw any) error
	any() any
	zero() bool
	fmt.Stringer
}

type stringValue struct {
	p      *string
	values []string // the closed set; nil when open
}

func (v stringValue) set(raw any) error {
	s, ok := scalar(raw)
	if !ok {
		return fmt.Errorf("needs a single value, not a %s", shape(raw))
	}
	s = strings.TrimSpace(s)
	if v.values != nil && !slices.Contains(v.values, s) {
		if near := Nearest(s, v.values); near != "" {
			return fmt.Errorf("%q is not known; did you mean %q? (one of %s)", s, near, strings.Join(v.values, ", "))
		}
		return fmt.Errorf("%q is not known; use one of %s", s, strings.Join(v.values, ", "))
	}
	*v.p = s
	return nil
}
func (v stringValue) any() any       { return *v.p }
func (v stringValue) zero() bool     { return *v.p == "" }
func (v stringValue) String() string { return *v.p }

type boolValue struct{ p *bool }

func (v boolValue) set(raw any) error {
	s, ok := scalar(raw)
	if !ok {
		return fmt.Errorf("needs true or false, not a %s", shape(raw))
	}
	b, err := strconv.ParseBool(strings.TrimSpace(s))
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", s)
	}
	*v.p = b
	return nil
}
func (v boolValue) any() any       { return *v.p }
func (v boolValue) zero() bool     { return !*v.p }
func (v boolValue) String() string { return strconv.FormatBool(*v.p) }

type intValue struct {
	p        *int
	min, max int
	unit     string
	orZero   bool // 0 means that nobody says
}

func (v intValue) set(raw any) error {
	s, ok := scalar(raw)
	if !ok {
		return fmt.Errorf("needs a whole number of %s, not a %s", v.unit, shape(raw))
	}
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return fmt.Errorf("%q is not a whole number of %s", s, v.unit)
	}
	if (n < v.min || n > v.max) && !(n == 0 && v.orZero) {
		return fmt.Errorf("%d %s is out of range; use %d to %d", n, v.unit, v.min, v.max)
	}
	*v.p = n
	return nil
}
func (v intValue) any() any       { return *v.p }
func (v intValue) zero() bool     { return *v.p == 0 }
func (v intValue) String() string { return strconv.Itoa(*v.p) }

type moneyValue struct{ p *Money }

func (v moneyValue) set(raw any) error {
	s, ok := scalar(raw)
	if !ok {
		return fmt.Errorf("needs an amount of dollars, not a %s", shape(raw))
	}
	m, err := ParseMoney(s)
	if err != nil {
		return err
	}
	if m < 0 {
		return fmt.Errorf("%s is negative", s)
	}
	*v.p = m
	return nil
}
func (v moneyValue) any() any       { return *v.p }
func (v moneyValue) zero() bool     { return *v.p == 0 }
func (v moneyValue) String() string { return v.p.Decimal() }

type listValue struct{ p *[]string }

func (v listValue) set(raw any) error {
	var items []string
	switch raw := raw.(type) {
	case []string:
		items = raw
	case []any:
		for _, r := range raw {
			s, ok := scalar(r)
			if !ok {
				return fmt.Errorf("needs a list of plain values, not of %ss", shape(r))
			}
			items = append(items, s)
		}
	default:
		s, ok := scalar(raw)
		if !ok {
			return fmt.Errorf("needs a list, not a %s", shape(raw))
		}
		items = strings.Split(s, ",")
	}
	list := []string{}
	for _, s := range items {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	*v.p = list
	return nil
}
func (v listValue) any() any       { return append([]string{}, *v.p...) }
func (v listValue) zero() bool     { return len(*v.p) == 0 }
func (v listValue) String() string { return strings.Join(*v.p, ",") }

// mapValue reads name=value pairs, in text joined by commas.
type mapValue struct{ p *map[string]string }

func (v mapValue) set(raw any) error {
	m := map[string]string{}
	switch raw := raw.(type) {
	case map[string]string:
		m = maps.Clone(raw)
	case map[string]any:
		for _, k := range sortedKeys(raw) {
			s, ok := scalar(raw[k])
			if !ok {
				return fmt.Errorf("%s needs a plain value, not a %s", k, shape(raw[k]))
			}
			m[k] = s
		}
	default:
		s, ok := scalar(raw)
		if !ok {
			return fmt.Errorf("needs name=value pairs, not a %s", shape(raw))
		}
		for pair := range strings.SplitSeq(s, ",") {
			if strings.TrimSpace(pair) == "" {
				continue
			}
			k, val, ok := strings.Cut(pair, "=")
			if !ok || strings.TrimSpace(k) == "" {
				return fmt.Errorf("%q is not a name=value pair", pair)
			}
			m[strings.TrimSpace(k)] = strings.TrimSpace(val)
		}
	}
	*v.p = m
	return nil
}
func (v mapValue) any() any   { return *v.p }
func (v mapValue) zero() bool { return len(*v.p) == 0 }
func (v mapValue) String() string {
	pairs := make([]string, 0, len(*v.p))
	for _, k := range sortedKeys(*v.p) {
		pairs = append(pairs, k+"="+(*v.p)[k])
	}
	return strings.Join(pairs, ",")
}

// envValue reads variables by service, in text as service.NAME=value.
type envValue struct {
	p *map[string]map[string]string
}

func (v envValue) set(raw any) error {
	env := map[string]map[string]string{}
	if same, ok := raw.(map[string]map[string]string); ok {
		for service, vars := range same {
			env[service] = maps.Clone(vars)
		}
		*v.p = env
		return nil
	}
	if nested, ok := raw.(map[string]any); ok {
		for _, service := range sortedKeys(nested) {
			var vars map[string]string
			if err := (mapValue{&vars}).set(nested[service]); err != nil {
				return fmt.Errorf("%s: %w", service, err)
			}
			env[service] = vars
		}
		*v.p = env
		return nil
	}
	var flat map[string]string
	if err := (mapValue{&flat}).set(raw); err != nil {
		return err
	}
	for _, name := range sortedKeys(flat) {
		service, variable, ok := strings.Cut(name, ".")
		if !ok || service == "" || variable == "" {
			return fmt.Errorf("%q is not of the form service.NAME=value", name)
		}
		if env[service] == nil {
			env[service] = map[string]string{}
		}
		env[service][variable] = flat[name]
	}
	*v.p = env
	return nil
}
func (v envValue) any() any   { return *v.p }
func (v envValue) zero() bool { return len(*v.p) == 0 }
func (v envValue) String() string {
	var pairs []string
	for _, service := range sortedKeys(*v.p) {
		for _, name := range sortedKeys((*v.p)[service]) {
			pairs = append(pairs, service+"."+name+"="+(*v.p)[service][name])
		}
	}
	return strings.Join(pairs, ",")
}

// scalar turns what a flag, YAML or JSON reader gave into text.
func scalar(raw any) (string, bool) {
	switch raw := raw.(type) {
	case nil:
		return "", true
	case string:
		return raw, true
	case bool:
		return strconv.FormatBool(raw), true
	case int:
		return strconv.Itoa(raw), true
	case int64:
		return strconv.FormatInt(raw, 10), true
	case uint64:
		return strconv.FormatUint(raw, 10), true
	case float64:
		return strconv.FormatFloat(raw, 'f', -1, 64), true
	case json.Number:
		return raw.String(), true
	case Money:
		return raw.Decimal(), true
	default:
		return "", false
	}
}

// shape names what a reader gave, for error messages.
func shape(raw any) string {
	switch raw.(type) {
	case []any, []string:
		return "list"
	case map[string]any, map[string]string:
		return "map"
	default:
		return fmt.Sprintf("%T", raw)
	}
}
