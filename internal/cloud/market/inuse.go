package market

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// fleet is what runs in the region already.
type fleet struct {
	used   usage
	stacks stacks
}

// stacks are the IDs of deployments by their name, as tags tell them.
type stacks map[string][]string

func (s stacks) add(tags []ec2types.Tag) {
	id, name, _ := api.Owner(api.FromEC2(tags))
	if name != "" && id != "" && !slices.Contains(s[name], id) {
		s[name] = append(s[name], id)
	}
}

// askMachines asks for the machines that exist: their vCPUs count against the quotas while they run, and their tags tell
// which names of deployments are taken.
func (m *Market) askMachines(ctx context.Context) (fleet, error) {
	known, err := m.types()
	if err != nil {
		return fleet{}, err
	}
	f := fleet{used: usage{}, stacks: stacks{}}
	pages := ec2.NewDescribeInstancesPaginator(m.clients.EC2, &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
		{Name: new("instance-state-name"), Values: []string{"pending", "running", "stopping", "stopped"}},
	}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fleet{}, err
		}
		for _, r := range page.Reservations {
			for _, i := range r.Instances {
				f.count(i, known)
			}
		}
	}
	return f, nil
}

func (f fleet) count(i ec2types.Instance, known []machineType) {
	f.stacks.add(i.Tags)
	if i.State == nil || i.State.Name != ec2types.InstanceStateNamePending && i.State.Name != ec2types.InstanceStateNameRunning {
		return
	}
	t := machineType{name: string(i.InstanceType)}
	if n := slices.IndexFunc(known, func(t machineType) bool { return t.name == string(i.InstanceType) }); n >= 0 {
		t = known[n]
	} else if i.CpuOptions != nil {
		t.vcpus = int(aws.ToInt32(i.CpuOptions.CoreCount) * aws.ToInt32(i.CpuOptions.ThreadsPerCore))
	}
	if b, ok := bucketOf(t); ok {
		market := onDemandMarket
		if i.InstanceLifecycle == ec2types.InstanceLifecycleTypeSpot {
			market = stack.Spot
		}
		f.used[b.code(market)] += t.vcpus
	}
}
