package permissiontest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/stack"
)

// authorization names, for each action, the types of resources that it has to do with, and whether it needs one of them. It
// is an extract of the Service Authorization Reference, kept up to date by the conformance tests.
//
//go:embed authorization.json
var authorization []byte

// Reference is that extract.
func Reference() (map[string]map[string]bool, error) {
	var all map[string]map[string]bool
	err := json.Unmarshal(authorization, &all)
	return all, err
}

// Needs are what IAM would want allowed for a request.
func Needs(reference map[string]map[string]bool, r sandbox.Request) ([]Need, error) {
	a, err := newAsked(r)
	if err != nil || r.Service == "STS" { // whoever has credentials may ask who they are
		return nil, err
	}
	action := prefixOf(r.Service) + ":" + r.Operation
	types, known := reference[action]
	if !known {
		return nil, fmt.Errorf("the extract of the Service Authorization Reference has no %s: run conformance/authorization.py", action)
	}
	needs := a.on(action, types)
	needs = append(needs, a.tags(action)...)
	return append(needs, a.behind()...), nil
}

// asked is a request as IAM sees it.
type asked struct {
	sandbox.Request
	fields  map[string]string // of the form, or of the first level of the JSON
	context map[string]string
	account string
}

func newAsked(r sandbox.Request) (*asked, error) {
	a := &asked{Request: r, fields: map[string]string{}, account: "111122223333"}
	a.context = map[string]string{"aws:RequestedRegion": r.Region, "aws:username": "sandbox", "aws:userid": "AROASANDBOXEXAMPLE00:sandbox"}
	if strings.HasPrefix(string(r.Body), "Action=") {
		form, err := url.ParseQuery(string(r.Body))
		for key := range form {
			a.fields[key] = form.Get(key)
		}
		if arn := form.Get("PolicyArn"); arn != "" {
			a.context["iam:PolicyARN"] = arn
		}
		return a, err
	}
	var body map[string]any
	if len(r.Body) == 0 {
		return a, nil
	}
	err := json.Unmarshal(r.Body, &body)
	for key, value := range body {
		a.fields[key] = fmt.Sprint(value)
		if tags, ok := value.([]any); ok && key == "Tags" {
			for i, one := range tags {
				tag := one.(map[string]any)
				a.fields[fmt.Sprintf("Tags.member.%d.Key", i+1)] = fmt.Sprint(tag["Key"])
				a.fields[fmt.Sprintf("Tags.member.%d.Value", i+1)] = fmt.Sprint(tag["Value"])
			}
		}
	}
	return a, err
}

func prefixOf(service string) string {
	switch service {
	case "EFS":
		return "elasticfilesystem"
	case "Elastic Load Balancing v2":
		return "elasticloadbalancing"
	}
	return strings.ToLower(strings.ReplaceAll(service, " ", ""))
}

// with adds to the context of the request.
func (a *asked) with(more map[string]string) map[string]string {
	context := maps.Clone(a.context)
	maps.Copy(context, more)
	return context
}

// on are the needs of the action itself: one for each resource that exists and is named, and for each that is made.
func (a *asked) on(action string, types map[string]bool) []Need {
	var needs []Need
	for _, kind := range slices.Sorted(maps.Keys(types)) {
		for _, named := range a.Resources {
			if kindOf(named.ARN) == kind && !a.beyond(named.ARN) {
				needs = append(needs, a.existing(action, named))
			}
		}
		if arn := a.fresh(kind, types[kind]); arn != "" {
			// Key pairs are always the user's: none is ever made.
			needs = append(needs, Need{Action: action, Resource: arn, Context: a.with(prefixed("aws:RequestTag/", a.requested(kind))), Foreign: kind == "key-pair"})
		}
	}
	if len(needs) == 0 && !slices.Contains(slices.Collect(maps.Values(types)), true) {
		needs = []Need{{Action: action, Resource: "*", Context: a.with(prefixed("aws:RequestTag/", a.requested("")))}}
	}
	return needs
}

// existing is the need of a resource that exists.
func (a *asked) existing(action string, r sandbox.NamedResource) Need {
	context := a.with(prefixed("aws:ResourceTag/", r.Tags))
	if r.VPC != "" {
		context["ec2:Vpc"] = "arn:aws:ec2:" + a.Region + ":" + a.account + ":vpc/" + r.VPC
	}
	foreign := r.Tags[stack.TagStack] == "" && strings.HasPrefix(r.ARN, "arn:aws:e") // ec2, elasticfilesystem
	return Need{Action: action, Resource: r.ARN, Context: context, Foreign: foreign}
}

// beyond reports whether a security group is only at the other end of a rule, which needs no permission on it
// (pulumi/pulumi-aws#6373).
func (a *asked) beyond(arn string) bool {
	ofRules := strings.HasPrefix(a.Operation, "Authorize") || strings.HasPrefix(a.Operation, "Revoke")
	return ofRules && kindOf(arn) == "security-group" && !strings.HasSuffix(arn, "/"+a.fields["GroupId"])
}

// fresh is the ARN of a resource that the request makes, that is not the account's, or that is gone: it cannot be looked up. ""
// is none.
func (a *asked) fresh(kind string, required bool) string {
	place := ":" + a.Region + ":" + a.account + ":"
	made := strings.HasPrefix(a.Operation, "Create") && strings.EqualFold(strings.TrimPrefix(a.Operation, "Create"), strings.ReplaceAll(kind, "-", ""))
	switch {
	case kind == "document" && a.fields["DocumentName"] != "":
		return "arn:aws:ssm:" + a.Region + "::document/" + a.fields["DocumentName"]
	case kind == "parameter" && strings.HasPrefix(a.fields["Name"], "/aws/"):
		return "arn:aws:ssm:" + a.Region + "::parameter" + a.fields["Name"]
	case a.Operation == "PutParameter" && kind == "parameter":
		return "arn:aws:ssm" + place + "parameter" + a.fields["Name"]
	case kind == "image" && required:
		return "arn:aws:ec2:" + a.Region + "::image/" + a.fields["ImageId"]
	case made && (kind == "role" || kind == "instance-profile"):
		return "arn:aws:iam::" + a.account + ":" + kind + a.fields["Path"] + a.fields["RoleName"] + a.fields["InstanceProfileName"]
	case kind == "key-pair" && a.fields["KeyName"] != "":
		return "arn:aws:ec2" + place + "key-pair/" + a.fields["KeyName"]
	case a.Service == "IAM" && required && !a.names(kind) && !adds(a.Operation):
		// IAM knows no path of what does not exist, and says that access is denied unless the bare name is allowed.
		return "arn:aws:iam::" + a.account + ":" + kind + "/" + a.fields[map[string]string{"role": "RoleName", "instance-profile": "InstanceProfileName"}[kind]]
	case kind == "session": // of somebody who has taken a role; the other one was found
		return "arn:aws:ssm" + place + "session/AROASANDBOXEXAMPLE00:sandbox-1"
	case made, a.requested(kind) != nil, a.Operation == "RunInstances" && kind == "network-interface":
		return "arn:aws:ec2" + place + kind + "/new"
	}
	return ""
}

// names reports whether the request names a resource of a type that exists.
func (a *asked) names(kind string) bool {
	return slices.ContainsFunc(a.Resources, func(r sandbox.NamedResource) bool { return kindOf(r.ARN) == kind })
}

// adds reports whether an operation of IAM only makes sense on what exists.
func adds(operation string) bool {
	return slices.ContainsFunc([]string{"Put", "Attach", "Add"}, func(verb string) bool { return strings.HasPrefix(operation, verb) })
}

// requested are the tags that the request gives to a type of resource; nil when it gives none.
func (a *asked) requested(kind string) map[string]string {
	at := "Tags.member."
	for n := 1; a.fields[fmt.Sprintf("TagSpecification.%d.ResourceType", n)] != ""; n++ {
		if a.fields[fmt.Sprintf("TagSpecification.%d.ResourceType", n)] == kind {
			at = fmt.Sprintf("TagSpecification.%d.Tag.", n)
		}
	}
	if a.Service == "EC2" && at == "Tags.member." {
		return nil
	}
	var tags map[string]string
	for n := 1; a.fields[fmt.Sprintf("%s%d.Key", at, n)] != ""; n++ {
		if tags == nil {
			tags = map[string]string{}
		}
		tags[a.fields[fmt.Sprintf("%s%d.Key", at, n)]] = a.fields[fmt.Sprintf("%s%d.Value", at, n)]
	}
	return tags
}

func prefixed(prefix string, tags map[string]string) map[string]string {
	all := map[string]string{}
	for key, value := range tags {
		all[prefix+key] = value
	}
	return all
}

// kindOf is the type in an ARN.
func kindOf(arn string) string {
	last := strings.SplitN(arn, ":", 6)[5]
	kind, _, _ := strings.Cut(last, "/")
	return kind
}
