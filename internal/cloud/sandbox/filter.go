package sandbox

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// attributes are the values of a resource by the name of the EC2 filter that looks at them.
type attributes map[string][]string

func yesNo(b bool) []string { return []string{strconv.FormatBool(b)} }

// matches tells whether a resource passes all filters. A filter passes when one of its values matches one of the resource's;
// values may hold the wildcards * and ? (EC2 user guide, "Filtering resources").
func matches(filters []ec2types.Filter, have attributes, tags map[string]string) (bool, error) {
	passed := true
	for _, filter := range filters {
		name := deref(filter.Name)
		values, known := have[name]
		switch key, isTag := strings.CutPrefix(name, "tag:"); {
		case isTag:
			if value, ok := tags[key]; ok {
				values = []string{value}
			}
		case name == "tag-key":
			values = keys(tags)
		case !known:
			return false, refuse("InvalidParameterValue", "The filter '%s' is invalid", name)
		}
		passed = passed && slices.ContainsFunc(filter.Values, func(pattern string) bool {
			return slices.ContainsFunc(values, func(value string) bool { return like(pattern, value) })
		})
	}
	return passed, nil
}

// like matches a value against a pattern with the wildcards * (any run) and ? (one character).
func like(pattern, value string) bool {
	for i := range len(pattern) {
		switch pattern[i] {
		case '*':
			for skip := range len(value) - i + 1 {
				if like(pattern[i+1:], value[i+skip:]) {
					return true
				}
			}
			return false
		case '?':
			if i >= len(value) {
				return false
			}
		default:
			if i >= len(value) || value[i] != pattern[i] {
				return false
			}
		}
	}
	return len(pattern) == len(value)
}

// page cuts one page from a result. Without a wish for a size it holds usual items.
func page[T any](all []T, size *int32, token *string, usual int) ([]T, *string, error) {
	length := usual
	if size != nil {
		if *size < 1 {
			return nil, nil, refuse("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid.", *size)
		}
		length = int(*size)
	}
	start := 0
	if text := deref(token); text != "" {
		decoded, err := base64.RawURLEncoding.DecodeString(text)
		if err == nil {
			start, err = strconv.Atoi(strings.TrimPrefix(string(decoded), "page:"))
		}
		if err != nil || start < 0 {
			return nil, nil, refuse("InvalidNextToken", "The token '%s' is invalid", text)
		}
	}
	start = min(start, len(all))
	end := min(start+length, len(all))
	if end == len(all) {
		return all[start:], nil, nil
	}
	return all[start:end], new(base64.RawURLEncoding.EncodeToString([]byte("page:" + strconv.Itoa(end)))), nil
}

// deref returns what p points to, or the zero value.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// keys returns the keys of a map in order.
func keys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
