package redact

import (
	"strings"
	"testing"

	"geusemaker/internal/stack"
)

func TestRedactorKeepsWhatIsNoSecret(t *testing.T) {
	r := New(stack.State{})
	for _, text := range []string{
		"2026-11-23T14:25:30.123456789Z", "i-0dab814723b28e58c", "vol-070b732ce1f60dba3 attached as /dev/sdf",
		"ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20261117", "ami-0fcf34dba6d6fb076",
		"acb8d0c2-3fe3-70fe-b3a6-51c2260b95c5", "unclecode/crawl4ai:0.9.4", "/var/log/geusemaker-userdata.log",
		"n8n@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "DescribeInstanceInformation",
		"https://54.214.166.153:11434", "r7i.large spot in us-east-1e", "AmazonSSMManagedInstanceCore", "waiting for the machine to answer through Systems Manager",
		`{"status": "ready", "key": "network/private-a"}`, "docker 29.8.1, compose 5.6.0", "internet-gateway-with-a-long-name",
	} {
		if got := r.Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func FuzzRedactorRemovesWhatItIsTold(f *testing.F) {
	f.Add("a ", " b")
	f.Add(`"x": "`, `"`)
	f.Add("token=", "\n-----BEGIN X-----")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "correct horse battery"
		s := stack.State{}
		s.Config.Env = map[string]map[string]string{"n8n": {"ODD": secret}}
		if got := New(s).Text(before + secret + after); strings.Contains(got, secret) {
			t.Errorf("%q", got)
		}
	})
}
