package network_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"geusemaker/internal/cloud/api/apitest"
	"geusemaker/internal/cloud/network"
	"geusemaker/internal/stack"
)

const (
	keyPublicA = stack.Key("network/public-a")
	keyPublicB = stack.Key("network/public-b")
)

var (
	vpc     = stack.VPC{Name: "geusemaker-demo-vpc", CIDR: "10.20.0.0/16"}
	gateway = stack.InternetGateway{Name: "geusemaker-demo-gateway", VPC: stack.KeyVPC}
	publicA = stack.Subnet{Name: "geusemaker-demo-public-a", VPC: stack.KeyVPC, Zone: "us-east-1a", CIDR: "10.20.0.0/19", Public: true}
	publicB = stack.Subnet{Name: "geusemaker-demo-public-b", VPC: stack.KeyVPC, Zone: "us-east-1b", CIDR: "10.20.32.0/19", Public: true}
	routes  = stack.RouteTable{Name: "geusemaker-demo-public", VPC: stack.KeyVPC, Gateway: stack.KeyGateway, Subnets: []stack.Key{keyPublicA, keyPublicB}}
	s3      = stack.GatewayEndpoint{Name: "geusemaker-demo-s3", VPC: stack.KeyVPC, Service: "com.amazonaws.us-east-1.s3", Routes: stack.KeyRoutes}
	host    = stack.SecurityGroup{Name: "geusemaker-demo-host", Description: "geusemaker demo: the machine", VPC: stack.KeyVPC, Rules: []stack.Rule{
		{Protocol: "tcp", Port: 443, CIDR: "203.0.113.7/24", Reason: "n8n"},
		{Protocol: "tcp", Port: 443, CIDR: "203.0.113.0/24", Reason: "n8n, the same in other words"},
		{Protocol: "tcp", Port: 443, CIDR: "2001:db8::/32", Reason: "n8n"},
		{Protocol: "tcp", Port: 6333, CIDR: "203.0.113.0/24", Reason: "qdrant <the owner's>"},
	}}
	files = stack.SecurityGroup{
		Name: "geusemaker-demo-files", Description: "geusemaker demo: the file system", VPC: stack.KeyVPC,
		Rules: []stack.Rule{{Protocol: "tcp", Port: 2049, Group: stack.KeyHostGroup, Reason: "NFS from the machine"}},
	}
)

var hostFiles = stack.GroupRule{Group: stack.KeyHostGroup, Rule: stack.Rule{Egress: true, Protocol: "tcp", Port: 2049, Group: stack.KeyFilesGroup, Reason: "NFS to the file system"}}

func client(b *apitest.Bench) *ec2.Client { return ec2.NewFromConfig(b.Config) }

func use(b *apitest.Bench) { b.Use(network.Drivers(client(b), b.Account.Clock())) }

// newBench is a bench with the drivers of this room on it.
func newBench(t *testing.T, seed uint64) *apitest.Bench {
	t.Helper()
	b := apitest.New(t, seed)
	use(b)
	return b
}

// makeVPC, makeRoom and so on make what later resources need, without a pause between them, as the engine does.
func makeVPC(b *apitest.Bench) { b.Create(stack.KeyVPC, vpc) }

func makeRoutable(b *apitest.Bench) {
	makeVPC(b)
	b.Make(stack.KeyGateway, gateway)
	b.Create(keyPublicA, publicA)
	b.Create(keyPublicB, publicB)
}

func makeHostGroup(b *apitest.Bench) {
	makeVPC(b)
	b.Create(stack.KeyHostGroup, host)
}

func makeTable(b *apitest.Bench) {
	makeVPC(b)
	b.Create(stack.KeyRoutes, routes)
}

func makeGroups(b *apitest.Bench) {
	makeHostGroup(b)
	b.Create(stack.KeyFilesGroup, files)
}

func TestConformance(t *testing.T) {
	apitest.Conform(t, use, []apitest.Case{
		{Key: stack.KeyVPC, Spec: vpc},
		{Key: stack.KeyGateway, Spec: gateway, Prepare: makeVPC},
		{Key: keyPublicA, Spec: publicA, Prepare: makeVPC},
		{Key: stack.KeyRoutes, Spec: routes, Prepare: makeRoutable},
		{Key: stack.KeyEndpoint, Spec: s3, Prepare: makeTable},
		{Key: stack.KeyHostGroup, Spec: host, Prepare: makeVPC},
		{Key: stack.KeyHostFiles, Spec: hostFiles, Prepare: makeGroups},
		{Key: stack.KeyFilesGroup, Spec: files, Prepare: makeHostGroup},
	})
}
