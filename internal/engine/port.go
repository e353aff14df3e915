package engine

import (
	"context"
	"errors"
	"time"

	"geusemaker/internal/stack"
)

// Driver makes, finds and removes the resources of one kind. Its methods may be called for different resources at once.
type Driver interface {
	// Read asks for the resource by its recorded ID. It returns ErrNotFound when the resource is gone, which includes what
	// AWS still shows as terminated or deleted.
	Read(ctx context.Context, t Target) (Found, error)
	// List finds every living resource of the kind that carries our ownership tags, or hangs on a parent that does. An
	// empty stack ID means any deployment's. What it returns must be enough for Delete.
	List(ctx context.Context, stackID string) ([]Found, error)
	// Create makes the resource and returns as soon as its ID is known. An error that leaves open whether the resource
	// exists now is marked by Unsure.
	Create(ctx context.Context, t Target) (Found, error)
	// Settle brings what Create began to the form that the spec describes and waits until it can be used. It may run again
	// after a crash, on a resource that is settled in part or in full. ErrNotFound says that the resource has vanished, as
	// a machine does for which AWS had no room after all; it is then made anew.
	Settle(ctx context.Context, t Target) (Found, error)
	// Delete removes the resource and waits until it is gone. That it is gone already is success. It is patient with
	// others that still depend on it. It uses the record only: specs may have changed since.
	Delete(ctx context.Context, t Target) error
}

// Examiner is a Driver that knows more of its resources than Read tells: all that a spec decides and somebody may change. It
// is asked only when somebody wants to know, since it may take more calls and more rights.
type Examiner interface {
	// Examine reads the resource, and says how it is in the traits that stack.Wanted names. When only a part of them could be
	// asked it returns that part, and the error: Found.ID tells that the resource itself was read.
	Examine(ctx context.Context, t Target) (Found, stack.Traits, error)
}

// Target is one resource as its driver sees it.
type Target struct {
	Stack  stack.Identity
	Key    stack.Key
	Spec   stack.Spec // nil in Read and Delete; in Examine where no blueprint has the resource
	Record stack.Record
	Tags   map[string]string
	// Need returns what is known of a resource that the spec refers to.
	Need func(stack.Key) stack.Record
	// Tell shows people what the driver is waiting for or trying.
	Tell func(text string)
	// Warn tells people that something they may rely on could not be had, and that the operation goes on without it.
	Warn func(text string)
	// Stopping reports that the operation was told to stop: a create that tries one thing after another tries no further.
	Stopping func() bool
}

// Found is a resource as it is in the account.
type Found struct {
	ID    string
	Attrs map[string]string
	// Stack, Name, Tier and Key come from the ownership tags; List fills them.
	Stack, Name, Tier string
	Key               stack.Key
	// Reuses is the tag that says what of the user's own its deployment rests on.
	Reuses string
	// Since is when AWS says the resource was made; zero where it does not say.
	Since time.Time
}

// ErrNotFound says that a resource does not exist, or not any more.
var ErrNotFound = errors.New("not found")

// Unsure marks an error of Create after which the resource may exist all the same: the answer was lost, or AWS says that
// such a thing is there already.
type Unsure struct{ Err error }

func (u Unsure) Error() string { return u.Err.Error() }

// Unwrap gives the error itself.
func (u Unsure) Unwrap() error { return u.Err }

// Clock tells the time and waits. The sandbox has one that runs fast.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

// Wall is the clock on the wall.
type Wall struct{}

// Now implements Clock.
func (Wall) Now() time.Time { return time.Now() }

// Sleep implements Clock.
func (Wall) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

type keyInContext struct{}

// withKey marks the calls that are made for a resource.
func withKey(ctx context.Context, key stack.Key) context.Context {
	return context.WithValue(ctx, keyInContext{}, key)
}

// KeyFrom returns the resource for which a call is made, or "".
func KeyFrom(ctx context.Context) stack.Key {
	key, _ := ctx.Value(keyInContext{}).(stack.Key)
	return key
}
