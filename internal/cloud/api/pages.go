package api

import (
	"context"
	"slices"
)

// Pages is what the SDK's paginators have in common.
type Pages[Output, Options any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Options)) (Output, error)
}

// All reads every page and returns the items of all.
func All[Output, Options, Item any](ctx context.Context, pages Pages[Output, Options], items func(Output) []Item) ([]Item, error) {
	var all []Item
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = slices.Concat(all, items(page))
	}
	return all, nil
}
