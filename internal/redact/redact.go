// Package redact removes secrets from what a user may send to others: a deployment's record, its events and its boot log.
package redact

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"geusemaker/internal/stack"
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

// Redactor removes from texts what is or may be a secret. It errs on the side of removing: what it must keep are the IDs
// that it was told of.
type Redactor struct {
	forms   forms
	known   []string // IDs and names that are no secrets, longest first
	secrets []string // values that are secrets wherever they stand, longest first
}

// New knows what a deployment's record says: its IDs may stay, and every value of the user's environment goes.
func New(s stack.State) *Redactor {
	r := &Redactor{forms: compile(), known: []string{s.ID, s.Name, s.Account}}
	for _, rec := range s.Records {
		r.known = append(r.known, rec.ID, rec.Attrs[stack.AttrARN])
	}
	for _, variables := range s.Config.Env {
		for _, value := range variables {
			if len(value) >= 6 { // a shorter one is a piece of many words
				r.secrets = append(r.secrets, value)
			}
		}
	}
	for name, value := range s.Config.Tags {
		if r.forms.name.MatchString(name) && len(value) >= 6 {
			r.secrets = append(r.secrets, value)
		}
	}
	for _, list := range []*[]string{&r.known, &r.secrets} {
		*list = slices.DeleteFunc(*list, func(s string) bool { return s == "" })
		slices.SortFunc(*list, func(a, b string) int { return len(b) - len(a) })
	}
	return r
}

// forms are how secrets, and what only looks like them, are written.
type forms struct {
	name       *regexp.Regexp // of a variable or a key that holds a secret
	assignment *regexp.Regexp // NAME=value and NAME: value, the name in quotes or not
	bearer     *regexp.Regexp
	accessKey  *regexp.Regexp
	userInfo   *regexp.Regexp // of a URL
	pem        *regexp.Regexp
	word       *regexp.Regexp // long enough for a secret
	harmless   *regexp.Regexp // IDs of AWS, UUIDs and times
	digest     *regexp.Regexp // of an image
}

func compile() forms {
	return forms{
		name:       regexp.MustCompile(`(?i)(passw|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|encryption[-_]?key|credential|authorization|cookie|jwt|license)`),
		assignment: regexp.MustCompile(`(["']?)([A-Za-z0-9_.-]*)(["']?)(\s*[=:]\s*)("[^"]*"|'[^']*'|(?:Bearer |Basic )?[^\s,;}"']+)`),
		bearer:     regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}`),
		accessKey:  regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b`),
		userInfo:   regexp.MustCompile(`(://)[^/@\s:]+:[^/@\s]+@`),
		pem:        regexp.MustCompile(`(?s)-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|$)`),
		word:       regexp.MustCompile(`[A-Za-z0-9+/=_-]{16,}`),
		harmless:   regexp.MustCompile(`^(?:[a-z]{1,8}-[0-9a-f]{8,17}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9TZ:.+-]+)$`),
		digest:     regexp.MustCompile(`sha256:[0-9a-f]{64}`),
	}
}

// Text removes secrets from a text of any form.
func (r *Redactor) Text(s string) string {
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, redacted)
	}
	s = r.forms.pem.ReplaceAllString(s, redacted)
	s = r.forms.userInfo.ReplaceAllString(s, "${1}"+redacted+"@")
	s = r.forms.bearer.ReplaceAllString(s, "${1} "+redacted)
	s = r.forms.accessKey.ReplaceAllString(s, redacted)
	s = r.forms.assignment.ReplaceAllStringFunc(s, func(found string) string {
		m := r.forms.assignment.FindStringSubmatch(found)
		if m[2] == "" || !r.forms.name.MatchString(m[2]) {
			return found
		}
		return m[1] + m[2] + m[3] + m[4] + redacted
	})
	digests := r.forms.digest.FindAllString(s, -1)
	s = r.forms.digest.ReplaceAllString(s, "\x00")
	s = r.forms.word.ReplaceAllStringFunc(s, func(word string) string {
		if r.looksRandom(word) {
			return redacted
		}
		return word
	})
	for _, d := range digests {
		s = strings.Replace(s, "\x00", d, 1)
	}
	return s
}

// Words of less than minEntropy bits for each character, or with less than minRandom characters that no word is made of,
// are names. A secret of 26 characters of base32 has about 4.1, one of 32 hexadecimal digits about 3.5.
const (
	minEntropy = 3.0
	minRandom  = 16
)

// looksRandom reports whether a word may have been drawn by lot.
func (r *Redactor) looksRandom(word string) bool {
	for _, known := range r.known {
		word = strings.ReplaceAll(word, known, "-")
	}
	if r.forms.harmless.MatchString(word) {
		return false
	}
	var random strings.Builder
	for part := range strings.FieldsFuncSeq(word, func(c rune) bool { return c == '-' || c == '/' || c == '_' }) {
		if !ordinary(part) {
			random.WriteString(part)
		}
	}
	return random.Len() >= minRandom && entropy(random.String()) >= minEntropy
}

// ordinary reports whether a part of a word is a number, or letters as words have them.
func ordinary(part string) bool {
	digits, lower, upper := 0, 0, 0
	for _, c := range part {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z':
			lower++
		case c >= 'A' && c <= 'Z':
			upper++
		default:
			return false
		}
	}
	if digits == len(part) || digits == 0 && (upper == 0 || lower == 0) && len(part) < minRandom {
		return true
	}
	return digits == 0 && upper*3 <= len(part) // words put together, such as DescribeInstances; by lot it would be half
}

// entropy is Shannon's, in bits for each character.
func entropy(s string) float64 {
	count := map[rune]int{}
	for _, c := range s {
		count[c]++
	}
	var bits float64
	for n := range maps.Values(count) {
		p := float64(n) / float64(len(s))
		bits -= p * math.Log2(p)
	}
	return bits
}

// JSON removes secrets from a JSON document: what stands under the name of a secret, the user's environment, and what looks
// like one. What is no JSON is treated as text.
func (r *Redactor) JSON(raw []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var document any
	if err := dec.Decode(&document); err != nil || dec.More() {
		return []byte(r.Text(string(raw)))
	}
	out, err := json.MarshalIndent(r.value("", document), "", "  ")
	if err != nil {
		return []byte(redacted)
	}
	return append(out, '\n')
}

func (r *Redactor) value(name string, v any) any {
	switch v := v.(type) {
	case string:
		if v != "" && r.forms.name.MatchString(name) && !slices.Contains(r.known, v) {
			return redacted
		}
		return r.Text(v)
	case []any:
		all := []any{}
		for _, item := range v {
			all = append(all, r.value(name, item))
		}
		return all
	case map[string]any:
		all := map[string]any{}
		for key, item := range v {
			if key == "env" {
				item = blank(item)
			}
			all[r.Text(key)] = r.value(key, item)
		}
		return all
	default:
		return v
	}
}

// blank keeps the names of an environment and none of its values.
func blank(v any) any {
	switch v := v.(type) {
	case map[string]any:
		all := map[string]any{}
		for key, item := range v {
			all[key] = blank(item)
		}
		return all
	case nil:
		return nil
	default:
		return redacted
	}
}

// Lines removes secrets from a file of JSON objects, one a line.
func (r *Redactor) Lines(raw []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(raw) {
		var document any
		if err := json.Unmarshal(line, &document); err == nil {
			if out, err := json.Marshal(r.value("", document)); err == nil {
				b.Write(append(out, '\n'))
				continue
			}
		}
		b.WriteString(r.Text(string(line)))
	}
	return b.Bytes()
}
