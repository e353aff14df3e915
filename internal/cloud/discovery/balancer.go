package discovery

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// LoadBalancer is an application, network or gateway load balancer. Its ID is its ARN.
type LoadBalancer struct {
	Resource
	Type      string // application, network, gateway
	Scheme    string // internet-facing or internal
	State     string // active, provisioning, active_impaired, failed
	VPC       string
	DNSName   string
	Zones     []string
	Groups    []string
	CreatedAt time.Time
}

func balancerOf(l elbtypes.LoadBalancer) LoadBalancer {
	out := LoadBalancer{
		Resource: Resource{ID: aws.ToString(l.LoadBalancerArn), Name: aws.ToString(l.LoadBalancerName), Tags: map[string]string{}},
		Type:     string(l.Type), Scheme: string(l.Scheme), VPC: aws.ToString(l.VpcId), DNSName: aws.ToString(l.DNSName),
		Groups: l.SecurityGroups, CreatedAt: aws.ToTime(l.CreatedTime),
	}
	if l.State != nil {
		out.State = string(l.State.Code)
	}
	for _, z := range l.AvailabilityZones {
		out.Zones = append(out.Zones, aws.ToString(z.ZoneName))
	}
	return out
}
