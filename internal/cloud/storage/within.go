package storage

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// Within lists the mount targets of a file system, whoever made them. A file system that is gone has none.
func Within(ctx context.Context, client EFS, fileSystem string) ([]stack.Record, error) {
	pages := efs.NewDescribeMountTargetsPaginator(client, &efs.DescribeMountTargetsInput{FileSystemId: &fileSystem})
	all, err := api.All(ctx, pages, func(out *efs.DescribeMountTargetsOutput) (found []stack.Record) {
		for _, m := range out.MountTargets {
			if !dying(m.LifeCycleState) {
				found = append(found, stack.Record{Kind: stack.KindMountTarget, ID: aws.ToString(m.MountTargetId)})
			}
		}
		return found
	})
	if api.IsNotFound(err) {
		return nil, nil
	}
	return all, err
}
