package host

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"geusemaker/internal/stack"
)

// metadata is the instance metadata service, version 2, with a role.
func metadata(t *testing.T, public string) *httptest.Server {
	t.Helper()
	values := map[string]string{
		"/latest/meta-data/iam/security-credentials/":     "demo-role",
		"/latest/meta-data/iam/security-credentials/demo": "",
		"/latest/meta-data/iam/security-credentials/demo-role": `{"Code":"Success","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"the+secret/key",` +
			`"Token":"session//token=="}`,
		"/latest/meta-data/services/domain": "amazonaws.com",
		"/latest/meta-data/local-ipv4":      "10.0.1.7",
	}
	if public != "" {
		values["/latest/meta-data/public-ipv4"] = public
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/latest/api/token" && r.Method == http.MethodPut && r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds") != "" {
			io.WriteString(w, "imds-token")
			return
		}
		value, ok := values[r.URL.Path]
		switch {
		case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "imds-token":
			w.WriteHeader(http.StatusUnauthorized)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			io.WriteString(w, value)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// parameterStore answers GetParameter as Systems Manager does, after it has refused the first calls. It checks each
// signature by the rules of Signature Version 4.
func parameterStore(t *testing.T, refusals int, value string) (server *httptest.Server, calls *atomic.Int64) {
	t.Helper()
	calls = &atomic.Int64{}
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := checkSignature(r, string(body), "the+secret/key"); err != nil {
			t.Error(err)
		}
		if calls.Add(1) <= int64(refusals) {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"__type":"AccessDeniedException","Message":"User: demo-role is not authorized to perform: ssm:GetParameter"}`)
			return
		}
		var request struct {
			Name           string
			WithDecryption bool
		}
		if err := json.Unmarshal(body, &request); err != nil || request.Name != "/geusemaker/gm-7f3k2q/secrets" || !request.WithDecryption {
			t.Errorf("request is %s", body)
		}
		answer, _ := json.Marshal(map[string]any{"Parameter": map[string]any{"Name": request.Name, "Type": "SecureString", "Value": value}})
		w.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server, calls
}

// checkSignature computes the signature anew from what arrived (AWS General Reference, "Create a signed AWS API request").
func checkSignature(r *http.Request, body, secret string) error {
	headers := map[string]string{
		"content-type": r.Header.Get("Content-Type"), "host": r.Host, "x-amz-date": r.Header.Get("X-Amz-Date"),
		"x-amz-security-token": r.Header.Get("X-Amz-Security-Token"), "x-amz-target": r.Header.Get("X-Amz-Target"),
	}
	names := []string{"content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"}
	if r.Host != "ssm.eu-central-1.amazonaws.com" || headers["x-amz-target"] != "AmazonSSM.GetParameter" || headers["x-amz-security-token"] != "session//token==" ||
		headers["content-type"] != "application/x-amz-json-1.1" || r.Method != http.MethodPost || r.URL.Path != "/" {
		return fmt.Errorf("not a call of GetParameter: %s %s of %s with %v", r.Method, r.URL.Path, r.Host, headers)
	}
	var canonical strings.Builder
	canonical.WriteString("POST\n/\n\n")
	for _, name := range names {
		canonical.WriteString(name + ":" + headers[name] + "\n")
	}
	canonical.WriteString("\n" + strings.Join(names, ";") + "\n" + sum(body))
	date := headers["x-amz-date"]
	scope := date[:8] + "/eu-central-1/ssm/aws4_request"
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = sign(key, part)
	}
	signature := hex.EncodeToString(sign(key, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+sum(canonical.String())))
	want := "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/" + scope + ", SignedHeaders=" + strings.Join(names, ";") + ", Signature=" + signature
	if got := r.Header.Get("Authorization"); got != want {
		return fmt.Errorf("authorization is %q, want %q", got, want)
	}
	return nil
}

func sum(text string) string {
	digest := sha256.Sum256([]byte(text))
	return hex.EncodeToString(digest[:])
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func TestSecretsComeFromTheParameter(t *testing.T) {
	root := install(t, machine())
	store, calls := parameterStore(t, 2, sampleSecrets)
	out, err := shell(t, root, "step address secrets", `step_secrets`,
		"GEUSEMAKER_METADATA="+metadata(t, "").URL, "GEUSEMAKER_SSM="+store.URL)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if calls.Load() != 3 {
		t.Errorf("asked %d times, want 3: the rights of a new role come late", calls.Load())
	}
	want := "QDRANT__SERVICE__API_KEY='qdrant-key'\n"
	if got := readUnder(t, root, "/run/geusemaker/secrets/qdrant.env"); got != want {
		t.Errorf("qdrant gets %q, want %q", got, want)
	}
	if out != "" {
		t.Errorf("something was said, and a secret may be in it: %q", out)
	}
}

// No process may carry a secret in its arguments, where every user of the machine sees it.
func TestNoSecretIsAnArgument(t *testing.T) {
	root := install(t, machine())
	store, _ := parameterStore(t, 0, sampleSecrets)
	for _, tool := range []string{"curl", "python3", "tr", "cat", "chmod", "mv", "install"} {
		real, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		stub(t, root, tool, `exec `+real+` "$@"`)
	}
	if out, err := shell(t, root, "step address secrets", `step_secrets`,
		"GEUSEMAKER_METADATA="+metadata(t, "").URL, "GEUSEMAKER_SSM="+store.URL); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	calls := readUnder(t, root, "/calls")
	for _, secret := range []string{"qdrant-key", "ollama-token", "in-the-clear", "the+secret/key", "session//token==", "imds-token"} {
		if strings.Contains(calls, secret) {
			t.Errorf("%q is an argument in\n%s", secret, calls)
		}
	}
}

func TestSecretsThatCannotBeUsedAreRefused(t *testing.T) {
	tests := map[string]struct{ secrets, want string }{
		"missing":   {strings.ReplaceAll(sampleSecrets, "OLLAMA_TOKEN=ollama-token\n", ""), "has no OLLAMA_TOKEN"},
		"empty":     {strings.ReplaceAll(sampleSecrets, "ollama-token", ""), "has no OLLAMA_TOKEN"},
		"quote":     {strings.ReplaceAll(sampleSecrets, "ollama-token", "a'b"), "OLLAMA_TOKEN in"},
		"backslash": {strings.ReplaceAll(sampleSecrets, "ollama-token", `a\b`), "OLLAMA_TOKEN in"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := install(t, machine())
			store, _ := parameterStore(t, 0, test.secrets)
			out, err := shell(t, root, "step address secrets", `step_secrets`,
				"GEUSEMAKER_METADATA="+metadata(t, "").URL, "GEUSEMAKER_SSM="+store.URL)
			if err == nil || !strings.Contains(out, test.want) {
				t.Errorf("%v, output %q, want %q", err, out, test.want)
			}
		})
	}
}

func TestARefusedParameterIsExplained(t *testing.T) {
	root := install(t, machine())
	store, _ := parameterStore(t, 1000, "")
	patch(t, root, "lib/secrets.sh", "retry 300", "retry 2")
	out, err := shell(t, root, "step address secrets", `step_secrets`,
		"GEUSEMAKER_METADATA="+metadata(t, "").URL, "GEUSEMAKER_SSM="+store.URL)
	if err == nil || !strings.Contains(out, "not authorized to perform: ssm:GetParameter") {
		t.Errorf("%v, output %q", err, out)
	}
}

func TestAddressOfTheGateway(t *testing.T) {
	tests := map[string]struct {
		change func(*stack.Machine)
		public string
		want   string
	}{
		"public address":   {func(*stack.Machine) {}, "203.0.113.5", "PUBLIC_HOST='203.0.113.5'\nPUBLIC_URL='https://203.0.113.5'\n"},
		"private only":     {func(*stack.Machine) {}, "", "PUBLIC_HOST='10.0.1.7'\nPUBLIC_URL='https://10.0.1.7'\n"},
		"plain HTTP":       {func(m *stack.Machine) { m.HTTPS = "off" }, "203.0.113.5", "PUBLIC_HOST='203.0.113.5'\nPUBLIC_URL='http://203.0.113.5'\n"},
		"domain":           {func(m *stack.Machine) { m.HTTPS, m.Domain = "acme", "ai.example.com" }, "203.0.113.5", "PUBLIC_HOST='ai.example.com'\nPUBLIC_URL='https://ai.example.com'\n"},
		"through a tunnel": {func(m *stack.Machine) { m.Access = "tunnel" }, "203.0.113.5", "PUBLIC_HOST='10.0.1.7'\nPUBLIC_URL='https://localhost:5678'\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := install(t, machine(test.change))
			out, err := shell(t, root, "step address", `write_address`, "GEUSEMAKER_METADATA="+metadata(t, test.public).URL)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := readUnder(t, root, "/run/geusemaker/address.env"); got != test.want {
				t.Errorf("address is %q, want %q", got, test.want)
			}
		})
	}
}
