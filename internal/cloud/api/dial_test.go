package api_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"geusemaker/internal/cloud/api"
)

// home gives the SDK an environment of its own.
func home(t *testing.T, configFile string, env map[string]string) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(configFile), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", path)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", path+".none")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, value := range env {
		t.Setenv(name, value)
	}
}

// endpoint is a server that counts its requests and answers all alike.
func endpoint(t *testing.T, status int, body string) (url string, count *atomic.Int64) {
	count = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server.URL, count
}

const workProfile = `[profile work]
region = eu-west-1
aws_access_key_id = AKIDWORK
aws_secret_access_key = secret
`

func TestDialChoosesAsTheCommandLineDoes(t *testing.T) {
	tests := []struct {
		name    string
		options api.Options
		env     map[string]string
		region  string
		keyID   string
	}{
		{"by the profile in the options", api.Options{Profile: "work"}, nil, "eu-west-1", "AKIDWORK"},
		{"by the profile in the environment", api.Options{}, map[string]string{"AWS_PROFILE": "work"}, "eu-west-1", "AKIDWORK"},
		{"the region in the options wins", api.Options{Profile: "work", Region: "us-east-2"}, map[string]string{"AWS_REGION": "us-west-1"}, "us-east-2", "AKIDWORK"},
		{"by keys in the environment", api.Options{}, map[string]string{"AWS_REGION": "us-west-1", "AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "s"}, "us-west-1", "AKIDENV"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			home(t, workProfile, test.env)
			cfg, err := api.Dial(t.Context(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			credentials, err := cfg.Credentials.Retrieve(t.Context())
			if err != nil || cfg.Region != test.region || credentials.AccessKeyID != test.keyID {
				t.Errorf("region %s, key %s, error %v; want %s, %s", cfg.Region, credentials.AccessKeyID, err, test.region, test.keyID)
			}
		})
	}
}

func TestDialFailsInWords(t *testing.T) {
	tests := []struct {
		name    string
		file    string
		options api.Options
		says    string
	}{
		{"unknown profile", workProfile, api.Options{Profile: "play", Region: "eu-west-1"}, `there is no AWS profile "play"`},
		{"no region", "", api.Options{}, "no AWS region is set"},
		{"role without source", "[profile work]\nregion = eu-west-1\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\n[profile base]\nregion = eu-west-1\n", api.Options{Profile: "work"}, "cannot assume the role"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			home(t, test.file, nil)
			_, err := api.Dial(t.Context(), test.options)
			if message, _ := api.Explain(err); err == nil || !strings.Contains(message, test.says) {
				t.Errorf("says %q, want %q", message, test.says)
			}
		})
	}
}

func TestDialCallsNobody(t *testing.T) {
	url, count := endpoint(t, 200, `<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>`)
	home(t, workProfile, map[string]string{"AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": "false"})
	cfg, err := api.Dial(t.Context(), api.Options{Profile: "work"})
	if err != nil || count.Load() != 0 {
		t.Fatalf("error %v after %d requests", err, count.Load())
	}
	if err := describeVpcs(t.Context(), cfg); err != nil || count.Load() != 1 {
		t.Errorf("error %v after %d requests to AWS_ENDPOINT_URL", err, count.Load())
	}
}

func TestWithoutAnyCredentialsTheAnswerIsQuick(t *testing.T) {
	url, count := endpoint(t, 500, "")
	home(t, "", map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": "false"})
	cfg, err := api.Dial(t.Context(), api.Options{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	err = describeVpcs(t.Context(), cfg)
	e, ok := errors.AsType[*api.CredentialsError](err)
	if !ok || !e.Nowhere {
		t.Fatalf("got %v", err)
	}
	if count.Load() > 2 {
		t.Errorf("the metadata service was asked %d times; a token and a role are enough", count.Load())
	}
	if message, hints := api.Explain(err); message != "no AWS credentials found" || len(hints) == 0 {
		t.Errorf("says %q %q", message, hints)
	}
}

func TestAnEndedLoginIsTold(t *testing.T) {
	home(t, `[profile work]
region = eu-west-1
sso_session = corp
sso_account_id = 111111111111
sso_role_name = dev
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.com/start
`, map[string]string{"HOME": t.TempDir()})
	cfg, err := api.Dial(t.Context(), api.Options{Profile: "work"})
	if err != nil {
		t.Fatal(err)
	}
	message, hints := api.Explain(describeVpcs(t.Context(), cfg))
	if message != "the login of AWS profile work has expired" || len(hints) != 1 || hints[0] != "run `aws sso login --profile work`" {
		t.Errorf("says %q %q", message, hints)
	}
}
