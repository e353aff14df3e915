package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Config is what a user wants. Every field has one flat key (see Fields), the same in flags, environment variables and
// config files, and every value knows where it came from.
type Config struct {
	Name   string
	Region string

	Tier              string
	Workload          string
	InstanceType      string
	Preference        string
	Market            string
	MaxHourly         Money // 0: no limit
	BudgetMonthly     Money // 0: no limit
	OSType            string
	Architecture      string
	AMIType           string
	AllowDiscontinued bool
	AMIID             string

	VPCID           string
	SubnetID        string
	SecurityGroupID string
	EFSID           string
	KeyPair         string
	VPCCIDR         string
	AddMissingRules bool

	Access     string
	AllowCIDRs []string
	Public     bool
	SSHCIDR    string
	Egress     string
	HTTPS      string
	Domain     string

	RootGiB        int // 0: as large as the image and the stack need
	DataGiB        int
	DataThroughput int // MiB/s
	KMSKeyID       string
	Backup         string

	Models   []string
	Services map[string]string            // service -> image
	Env      map[string]map[string]string // service -> variable -> value
	Tags     map[string]string

	sources map[string]Source
}

// Values of closed keys that code outside this file tests for.
const (
	TierDev        = "dev"
	TierAutomation = "automation"
	TierGPU        = "gpu"

	WorkloadCPU = "cpu"
	WorkloadGPU = "gpu"

	MarketSpotFirst = "spot-first"
	MarketSpot      = "spot"
	MarketOnDemand  = "on-demand"

	AccessDirect = "direct"
	AccessTunnel = "tunnel"

	EgressOpen       = "open"
	EgressRestricted = "restricted"

	HTTPSInternal = "internal"
	HTTPSOff      = "off"
	HTTPSACME     = "acme"

	Auto    = "auto"
	MyIP    = "my-ip"
	Nowhere = "none"
)

// Source tells where a value came from.
type Source struct {
	Kind string `json:"kind"`             // default, file, environment, flag, saved
	From string `json:"origin,omitempty"` // the file's path, the variable's or the flag's name
}

func (s Source) String() string {
	if s.From == "" {
		return s.Kind
	}
	return s.Kind + " " + s.From
}

// NewConfig returns a configuration of defaults.
func NewConfig() Config {
	c := Config{sources: map[string]Source{}}
	for _, f := range fields() {
		if f.Default != "" {
			if err := f.value(&c).set(f.Default); err != nil {
				panic("default of " + f.Key + ": " + err.Error()) // a mistake in the table; every test would meet it
			}
		}
	}
	return c
}

// Set gives the key a value: a string as typed by a user, or what a YAML or JSON reader made of it. Its errors are
// FieldErrors.
func (c *Config) Set(key string, raw any, from Source) error {
	f, err := FieldFor(key)
	if err != nil {
		return err
	}
	if f.translate != nil {
		raw = f.translate(strings.ReplaceAll(key, "-", "_"), raw)
	}
	if err := f.value(c).set(raw); err != nil {
		return &FieldError{Key: f.Key, Problem: err.Error(), Source: from}
	}
	sources := maps.Clone(c.sources) // a copy of the Config must not learn of it
	if sources == nil {
		sources = map[string]Source{}
	}
	sources[f.Key] = from
	c.sources = sources
	return nil
}

// Value is what a key holds now: a string, bool, int, Money, []string or map.
func (c *Config) Value(key string) any {
	f, err := FieldFor(key)
	if err != nil {
		return nil
	}
	return f.value(c).any()
}

// Text is what a key holds now, as a user would type it.
func (c *Config) Text(key string) string {
	f, err := FieldFor(key)
	if err != nil {
		return ""
	}
	return f.value(c).String()
}

// Sources tells in words where each value came from that somebody chose now: it is no default and was in no record.
func (c *Config) Sources() map[string]string {
	all := map[string]string{}
	for key, from := range c.sources {
		if from.Kind != "default" && from.Kind != "saved" {
			all[key] = from.String()
		}
	}
	return all
}

// SourceOf tells where the value of a key came from.
func (c *Config) SourceOf(key string) Source {
	if s, ok := c.sources[key]; ok {
		return s
	}
	return Source{Kind: "default"}
}

// IsSet reports whether somebody chose the value of the key, be it the same as the default.
func (c *Config) IsSet(key string) bool {
	_, ok := c.sources[key]
	return ok
}

// MarshalJSON writes the flat keys in the order of Fields. Keys without a value are left out.
func (c Config) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for _, f := range fields() {
		v := f.value(&c)
		if v.zero() && f.Default == "" {
			continue
		}
		text, err := json.Marshal(v.any())
		if err != nil {
			return nil, err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", f.Key, text)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Every value in it counts as saved.
func (c *Config) UnmarshalJSON(b []byte) error {
	var raw map[string]any
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	if err := dec.Decode(&raw); err != nil {
		return err
	}
	*c = NewConfig()
	var problems []error
	for _, key := range sortedKeys(raw) {
		problems = append(problems, c.Set(key, raw[key], Source{Kind: "saved"}))
	}
	return errors.Join(problems...)
}

// Differences lists the keys on which the two configurations disagree.
func (c *Config) Differences(other *Config) []string {
	var keys []string
	for _, f := range fields() {
		mine, theirs := f.value(c), f.value(other)
		if !(mine.zero() && theirs.zero()) && !reflect.DeepEqual(mine.any(), theirs.any()) {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

// Problems are the errors that Validate joined, one by one.
func Problems(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, Problems(one)...)
	}
	return all
}

// A FieldError is a value that cannot be used: which key, what is wrong, and what to do.
type FieldError struct {
	Key     string
	Problem string
	Fix     string
	Source  Source
}

func (e *FieldError) Error() string {
	s := e.Key + ": " + e.Problem
	if e.Source.Kind != "" && e.Source.Kind != "default" {
		s += " (" + e.Source.String() + ")"
	}
	if e.Fix != "" {
		s += "; " + e.Fix
	}
	return s
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
