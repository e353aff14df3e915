package compute

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
)

// maxFilterValues is how many values EC2 takes in one filter (EC2 user guide, "Filter resources").
const maxFilterValues = 200

// Machines describes many instances in one call for every 200 of them, by ID. One that EC2 does not show any more, or shows
// as terminated or about to be, is left out. They are asked for by filter: by ID, EC2 would refuse the whole call for the
// sake of one that is gone.
func Machines(ctx context.Context, client EC2, ids []string) (map[string]engine.Found, error) {
	machines := map[string]engine.Found{}
	for some := range slices.Chunk(ids, maxFilterValues) {
		pages := ec2.NewDescribeInstancesPaginator(client, &ec2.DescribeInstancesInput{
			Filters: []types.Filter{{Name: new("instance-id"), Values: some}},
		})
		reservations, err := api.All(ctx, pages, func(o *ec2.DescribeInstancesOutput) []types.Reservation { return o.Reservations })
		if err != nil {
			return nil, err
		}
		for _, r := range reservations {
			for _, i := range r.Instances {
				if i.State != nil && !gone(i.State.Name) {
					machines[text(i.InstanceId)] = found(i)
				}
			}
		}
	}
	return machines, nil
}
