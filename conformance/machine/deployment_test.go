package machine

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A deployment is what the built binary made in its pretend account: the machine's user data and the one parameter with
// the secrets.
type deployment struct {
	userData  []byte // as it goes to EC2, decoded from base64
	parameter string
	value     string // of the parameter
	secrets   map[string]string
}

// deploy has the binary deploy and takes out what a real account would hold.
func deploy(t *testing.T, flags ...string) deployment {
	t.Helper()
	binary := os.Getenv("GEUSEMAKER_BIN")
	if binary == "" {
		t.Fatal("GEUSEMAKER_BIN does not say where the binary is: run `make machine`")
	}
	home := t.TempDir()
	command := exec.Command(binary, append([]string{"deploy", "demo", "--sandbox", "--yes", "--wait", "none", "--progress", "quiet"}, flags...)...)
	command.Env = append(os.Environ(), "GEUSEMAKER_HOME="+home)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("deploy: %v\n%s", err, out)
	}
	var account struct {
		Regions map[string]struct {
			Instances map[string]struct {
				UserData string `json:"user_data"`
			} `json:"instances"`
			Parameters map[string]struct {
				Value string `json:"value"`
			} `json:"parameters"`
		} `json:"regions"`
	}
	if err := json.Unmarshal(read(t, filepath.Join(home, "sandbox.json")), &account); err != nil {
		t.Fatal(err)
	}
	d := deployment{secrets: map[string]string{}}
	region := account.Regions["us-east-1"]
	for _, i := range region.Instances {
		data, err := base64.StdEncoding.DecodeString(i.UserData)
		if err != nil {
			t.Fatal(err)
		}
		d.userData = data
	}
	for name, p := range region.Parameters {
		d.parameter, d.value = name, unscramble(t, p.Value)
		for line := range strings.Lines(d.value) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			d.secrets[name] = value
		}
	}
	if len(d.userData) == 0 || d.secrets["POSTGRES_PASSWORD"] == "" {
		t.Fatal("the pretend account holds no machine or no secrets")
	}
	return d
}

// unscramble reads a secret of the pretend account, which hides them from a passing glance.
func unscramble(t *testing.T, text string) string {
	t.Helper()
	mixed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	const key = "geusemaker sandbox"
	for i := range mixed {
		mixed[i] ^= key[i%len(key)]
	}
	return string(mixed)
}

// systemsManager is Systems Manager for this deployment: it wants a request that the machine's role signed, and says at first
// that the role has no right, as it is while a new role becomes known.
type systemsManager struct {
	deployment
	asked int
}

func (s *systemsManager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked++
	var in struct {
		Name           string
		WithDecryption bool
	}
	signed := strings.Contains(r.Header.Get("Authorization"), "Credential=ASIAEXAMPLE/") &&
		strings.Contains(r.Header.Get("Authorization"), "/us-east-1/ssm/aws4_request") && r.Header.Get("X-Amz-Security-Token") == "role-token"
	err := json.NewDecoder(r.Body).Decode(&in)
	if err != nil || !signed || s.asked == 1 || in.Name != s.parameter || !in.WithDecryption {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"__type":"AccessDeniedException","Message":"not authorized"}`)
		return
	}
	answer := map[string]any{"Parameter": map[string]any{"Name": in.Name, "Type": "SecureString", "Value": s.value}}
	json.NewEncoder(w).Encode(answer)
}
