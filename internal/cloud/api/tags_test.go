package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

func TestTagsSurviveTheRoundTripInOrder(t *testing.T) {
	tags := map[string]string{stack.TagStack: "0123", stack.TagName: "demo", stack.TagKey: "network/vpc", "b": "2", "a": "1", "empty": ""}
	ec2 := api.EC2Tags(tags)
	if *ec2[0].Key != "a" || *ec2[1].Key != "b" || *ec2[0].Value != "1" {
		t.Errorf("order is %v", ec2)
	}
	for service, back := range map[string]map[string]string{
		"EC2": api.FromEC2(ec2), "EFS": api.FromEFS(api.EFSTags(tags)), "IAM": api.FromIAM(api.IAMTags(tags)), "SSM": api.FromSSM(api.SSMTags(tags)),
	} {
		if d := cmp.Diff(tags, back); d != "" {
			t.Errorf("%s: %s", service, d)
		}
	}
}

func TestTheNameTagIsTheUsersIfSet(t *testing.T) {
	tags := map[string]string{"a": "1"}
	if d := cmp.Diff(map[string]string{"a": "1", "Name": "geusemaker-demo-vpc"}, api.Named(tags, "geusemaker-demo-vpc")); d != "" {
		t.Error(d)
	}
	if got := api.Named(map[string]string{"Name": "mine"}, "geusemaker-demo-vpc")["Name"]; got != "mine" {
		t.Errorf("Name is %q", got)
	}
	if len(tags) != 1 {
		t.Error("the given tags were changed")
	}
}

func TestOwnership(t *testing.T) {
	ours := map[string]string{stack.TagStack: "0123", stack.TagName: "demo", stack.TagKey: "network/vpc"}
	want := engine.Found{ID: "vpc-1", Stack: "0123", Name: "demo", Key: "network/vpc", Attrs: map[string]string{"zone": "a"}}
	if d := cmp.Diff(want, api.Found("vpc-1", ours, map[string]string{"zone": "a"})); d != "" {
		t.Error(d)
	}
	for _, test := range []struct {
		id   string
		tags map[string]string
		want bool
	}{{"0123", ours, true}, {"", ours, true}, {"9999", ours, false}, {"", map[string]string{"a": "b"}, false}, {"", nil, false}} {
		if got := api.Owns(test.id, test.tags); got != test.want {
			t.Errorf("Owns(%q, %v) = %v", test.id, test.tags, got)
		}
	}
}
