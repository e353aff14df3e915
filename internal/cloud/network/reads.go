package network

import (
	"context"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
)

// reads is how the resources of one kind are read: search lists those with the IDs that the filters let through, and found
// turns one into what the engine takes.
type reads[T any] struct {
	search func(ctx context.Context, ids []string, filters ...ec2types.Filter) ([]T, error)
	found  func(T) engine.Found
}

// describe asks for one resource by its ID.
func (r reads[T]) describe(ctx context.Context, id string) (T, error) {
	var none T
	items, err := r.search(ctx, []string{id})
	if err != nil {
		return none, api.Absent(err)
	}
	if len(items) == 0 {
		return none, engine.ErrNotFound
	}
	return items[0], nil
}

// Read implements engine.Driver.
func (r reads[T]) Read(ctx context.Context, t engine.Target) (engine.Found, error) {
	item, err := r.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, err
	}
	return r.found(item), nil
}

// List implements engine.Driver.
func (r reads[T]) List(ctx context.Context, stackID string) ([]engine.Found, error) {
	items, err := r.search(ctx, nil, api.OwnerFilter(stackID))
	all := make([]engine.Found, 0, len(items))
	for _, item := range items {
		all = append(all, r.found(item))
	}
	return all, err
}
