package sandbox

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Request tells Options.OnRequest what the SDK would have sent, but for the signature.
type Request struct {
	Service   string
	Operation string
	Region    string
	Method    string
	URL       string
	Header    http.Header
	Body      []byte
	// Resources are those that exist and that the request names.
	Resources []NamedResource
}

// NamedResource is a resource as policies see it.
type NamedResource struct {
	ARN  string
	Tags map[string]string
	VPC  string // ID of the VPC that a subnet or a security group lies in
}

// see shows a request to Options.OnRequest, and leaves it as it was.
func (a *Account) see(ctx context.Context, in middleware.FinalizeInput) error {
	sent, ok := in.Request.(*smithyhttp.Request)
	if a.options.OnRequest == nil || !ok {
		return nil
	}
	var body []byte
	if stream := sent.GetStream(); stream != nil {
		var err error
		if body, err = io.ReadAll(stream); err != nil {
			return err
		}
		if err := sent.RewindStream(); err != nil {
			return err
		}
	}
	r := Request{
		Service: awsmiddleware.GetServiceID(ctx), Operation: awsmiddleware.GetOperationName(ctx), Region: awsmiddleware.GetRegion(ctx),
		Method: sent.Method, URL: sent.URL.String(), Header: sent.Header.Clone(), Body: body,
	}
	err := a.view(func(s *state) { r.Resources = s.named(r) })
	a.options.OnRequest(r)
	return err
}

// named finds the resources whose ID, name or part a request holds. What only its tags tell of, it does not ask for.
func (s *state) named(r Request) []NamedResource {
	text := r.words()
	var all []NamedResource
	add := func(word, arn string, tags map[string]string) {
		if word != "" && strings.Contains(text, word) && !slices.ContainsFunc(all, func(n NamedResource) bool { return n.ARN == arn }) {
			all = append(all, NamedResource{ARN: arn, Tags: maps.Clone(tags), VPC: s.Regions[r.Region].home(arn)})
		}
	}
	for _, name := range keys(s.Roles) {
		add(name, "arn:aws:iam::"+s.Account+":role"+s.Roles[name].Path+name, s.Roles[name].Tags)
	}
	for _, name := range keys(s.Profiles) {
		add(name, "arn:aws:iam::"+s.Account+":instance-profile"+s.Profiles[name].Path+name, s.Profiles[name].Tags)
	}
	if region := s.Regions[r.Region]; region != nil {
		region.named(s.Account, add)
	}
	return all
}

// words are the address and the body of a request, as plain text and without the tags that it gives.
func (r Request) words() string {
	address, err := url.QueryUnescape(r.URL)
	if err != nil {
		address = r.URL
	}
	words := []string{address}
	if form, err := url.ParseQuery(string(r.Body)); err == nil && form.Has("Action") {
		for _, key := range keys(form) {
			if !strings.Contains(key, ".Tag.") && !strings.HasPrefix(key, "Tags.") {
				words = append(words, form[key]...)
			}
		}
		return strings.Join(words, "\n")
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(r.Body, &body) != nil {
		return strings.Join(append(words, string(r.Body)), "\n")
	}
	for _, key := range keys(body) {
		if key != "Tags" {
			words = append(words, string(body[key]))
		}
	}
	return strings.Join(words, "\n")
}

// home is the VPC that a subnet or a security group lies in; "" for everything else.
func (r *region) home(arn string) string {
	if r == nil {
		return ""
	}
	_, id, _ := strings.Cut(arn, "/")
	if n := r.Subnets[id]; n != nil {
		return n.VPC
	}
	if g := r.Groups[id]; g != nil {
		return g.VPC
	}
	return ""
}

// named offers every resource of a region under each word that a request may name it by.
func (r *region) named(account string, add func(word, arn string, tags map[string]string)) {
	place := ":" + r.Name + ":" + account + ":"
	for _, collection := range r.collections() {
		for _, id := range keys(collection.items) {
			add(id, "arn:aws:ec2"+place+string(collection.name)+"/"+id, collection.items[id].Tags)
		}
	}
	for _, id := range keys(r.RouteTables) {
		for _, one := range r.RouteTables[id].Associations {
			add(one.ID, "arn:aws:ec2"+place+"route-table/"+id, r.RouteTables[id].Tags)
		}
	}
	systems := func(word, id string) {
		if f := r.FileSystems[id]; f != nil {
			add(word, "arn:aws:elasticfilesystem"+place+"file-system/"+id, f.Tags)
		}
	}
	for _, id := range keys(r.FileSystems) {
		systems(id, id)
	}
	for _, id := range keys(r.MountTargets) {
		systems(id, r.MountTargets[id].FileSystem)
	}
	for _, name := range keys(r.Parameters) {
		add(name, "arn:aws:ssm"+place+"parameter"+name, r.Parameters[name].Tags)
	}
	for _, id := range keys(r.Sessions) {
		add(id, "arn:aws:ssm"+place+"session/"+id, nil)
	}
}
