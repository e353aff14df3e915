package network

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
)

// maxNamed is how many blockers an error names: the first tell the rest.
const maxNamed = 5

// blocked adds to the error of a delete what still stands in its way: network interfaces, of which those of AWS services
// say whose they are; in a VPC, endpoints and security groups, which services such as GuardDuty plant there; of a security
// group, those that refer to it. The filter says where to look. What cannot be found out is left out.
func (r room) blocked(ctx context.Context, err error, where ec2types.Filter) error {
	if !api.IsDependency(err) {
		return err
	}
	names := r.interfaceNames(ctx, where)
	switch aws.ToString(where.Name) {
	case "vpc-id":
		names = slices.Concat(names, r.endpointNames(ctx, where), r.groupNames(ctx, where))
	case "group-id":
		names = slices.Concat(names, r.groupNames(ctx, filter("ip-permission.group-id", where.Values[0])))
	}
	if len(names) == 0 {
		return err
	}
	more := ""
	if len(names) > maxNamed {
		more = fmt.Sprintf(" and %d more", len(names)-maxNamed)
		names = names[:maxNamed]
	}
	return fmt.Errorf("%w; still there: %s%s", err, strings.Join(names, ", "), more)
}

func (r room) interfaceNames(ctx context.Context, where ec2types.Filter) []string {
	out, err := r.ec2.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: []ec2types.Filter{where}})
	if err != nil {
		return nil
	}
	var names []string
	for _, i := range out.NetworkInterfaces {
		names = append(names, nameInterface(i))
	}
	return names
}

func nameInterface(i ec2types.NetworkInterface) string {
	name := "network interface " + aws.ToString(i.NetworkInterfaceId)
	var details []string
	for _, d := range []string{aws.ToString(i.Description), aws.ToString(i.RequesterId)} {
		if d != "" {
			details = append(details, d)
		}
	}
	if a := i.Attachment; a != nil && aws.ToString(a.InstanceId) != "" {
		details = append(details, "of "+aws.ToString(a.InstanceId))
	}
	if len(details) > 0 {
		name += " (" + strings.Join(details, ", ") + ")"
	}
	return name
}

func (r room) endpointNames(ctx context.Context, where ec2types.Filter) []string {
	endpoints, err := r.endpoints().search(ctx, nil, where)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range endpoints {
		names = append(names, fmt.Sprintf("endpoint %s (%s)", aws.ToString(e.VpcEndpointId), aws.ToString(e.ServiceName)))
	}
	return names
}

// groups leaves out default groups, which go with their VPC.
func (r room) groupNames(ctx context.Context, where ec2types.Filter) []string {
	groups, err := r.groups().search(ctx, nil, where)
	if err != nil {
		return nil
	}
	var names []string
	for _, g := range groups {
		if aws.ToString(g.GroupName) != "default" {
			names = append(names, fmt.Sprintf("security group %s (%s)", aws.ToString(g.GroupId), aws.ToString(g.GroupName)))
		}
	}
	return names
}
