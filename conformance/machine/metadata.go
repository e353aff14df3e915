package machine

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

const (
	imdsToken = "a-session-token"
	roleName  = "geusemaker-machine"
)

// Metadata is the instance metadata service, version 2 only: without a session token it refuses (EC2 User Guide, "Use the
// Instance Metadata Service").
type Metadata struct {
	mu     sync.Mutex
	values map[string]string // by path below meta-data/
}

// NewMetadata tells of a spot machine.
func NewMetadata() *Metadata {
	return &Metadata{values: map[string]string{
		"ami-id":                               "ami-0123456789abcdef0",
		"instance-id":                          "i-0123456789abcdef0",
		"instance-type":                        "r7i.large",
		"instance-life-cycle":                  "spot",
		"hostname":                             "machine",
		"local-hostname":                       "machine",
		"local-ipv4":                           machineAddress,
		"public-ipv4":                          machineAddress,
		"placement/availability-zone":          "us-east-1a",
		"placement/region":                     "us-east-1",
		"services/domain":                      "amazonaws.com",
		"iam/security-credentials/" + roleName: `{"Code":"Success","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"secret","Token":"role-token"}`,
	}}
}

// Set changes a value, from one moment to the next, as EC2 does.
func (m *Metadata) Set(path, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[path] = value
}

// Remove takes a value away.
func (m *Metadata) Remove(path string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, path)
}

func (m *Metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/") // any version of the interface
	if r.Method == http.MethodPut && path == "api/token" {
		w.Header().Set("X-aws-ec2-metadata-token-ttl-seconds", r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds"))
		io.WriteString(w, imdsToken)
		return
	}
	if r.Header.Get("X-aws-ec2-metadata-token") != imdsToken {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if path, ok := strings.CutPrefix(path, "meta-data/"); ok {
		m.tell(w, path)
		return
	}
	http.NotFound(w, r)
}

// tell answers with a value, or with the names below a folder, of which those that are folders end with a slash.
func (m *Metadata) tell(w http.ResponseWriter, path string) {
	if value, ok := m.values[path]; ok {
		fmt.Fprint(w, value)
		return
	}
	var names []string
	for key := range m.values {
		rest, ok := strings.CutPrefix(key, path)
		if !ok || path != "" && !strings.HasSuffix(path, "/") {
			continue
		}
		name, _, folder := strings.Cut(rest, "/")
		if folder {
			name += "/"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	slices.Sort(names)
	fmt.Fprint(w, strings.Join(slices.Compact(names), "\n"))
}
