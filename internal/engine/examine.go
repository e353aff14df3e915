package engine

import (
	"context"

	"geusemaker/internal/stack"
)

// Examination is a resource as it is, beside how it should be.
type Examination struct {
	Found  Found
	Wanted stack.Traits // nil where there is nothing to compare with
	Traits stack.Traits
}

// Changes says in words how the resource is not as its spec wants it.
func (e Examination) Changes() []string { return e.Wanted.Differences(e.Traits) }

// Examine reads a recorded resource in all that its spec decides. Without a spec, and of what is the user's own, it asks only
// whether it is there. An error beside a found resource is of a part that could not be asked.
func (e Engine) Examine(ctx context.Context, s stack.State, rec stack.Record, spec stack.Spec) (Examination, error) {
	r := e.begin(&s)
	d, err := r.driver(rec.Kind)
	if err != nil {
		return Examination{}, err
	}
	t := r.target(ctx, rec, spec)
	t.Tags = s.Tags(rec.Key) // whatever version made it
	examiner, able := d.(Examiner)
	if !able || !rec.Owned || spec == nil {
		found, err := d.Read(ctx, t)
		return Examination{Found: found}, err
	}
	wanted := stack.Wanted(spec, func(key stack.Key) string { return s.Records[key].ID })
	wanted[stack.TraitTags] = stack.TagTrait(t.Tags, t.Tags)
	found, traits, err := examiner.Examine(ctx, t)
	return Examination{Found: found, Wanted: wanted, Traits: traits}, err
}
