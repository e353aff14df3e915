package apitest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Case is a resource whose driver is put to the test.
type Case struct {
	Key  stack.Key
	Spec stack.Spec
	// Prepare makes what the resource needs.
	Prepare func(*Bench)
}

// Conform leads a driver through the life of one resource, in accounts that learn of new things more or less late.
func Conform(t *testing.T, use func(*Bench), cases []Case) {
	for _, c := range cases {
		t.Run(string(c.Key), func(t *testing.T) {
			for seed := range uint64(8) {
				synctest.Test(t, func(t *testing.T) {
					b := New(t, seed)
					use(b)
					if c.Prepare != nil {
						c.Prepare(b)
					}
					b.conform(c)
				})
			}
		})
	}
}

func (b *Bench) conform(c Case) {
	kind := c.Spec.Kind()
	before := b.Account.Inventory()
	if _, ok := b.Listed(kind, b.Identity.ID, c.Key); ok {
		b.Fatal("is listed before it was made")
	}
	created := b.Create(c.Key, c.Spec)
	b.listed(c, created.ID)
	settled := b.Settle(c.Key, c.Spec)
	if settled.ID != created.ID {
		b.Errorf("settle found %s, create had made %s", settled.ID, created.ID)
	}
	b.Pause(10 * time.Second)
	b.settlesOnce(c)
	read, err := b.driver(kind).Read(b.Context(), b.Target(c.Key, nil))
	if err != nil || read.ID != created.ID {
		b.Errorf("read found %s, want %s (%v)", read.ID, created.ID, err)
	}
	b.Delete(c.Key)
	if !b.Absent(c.Key) {
		b.Error("is read after it was deleted")
	}
	if _, ok := b.Listed(kind, b.Identity.ID, c.Key); ok {
		b.Error("is listed after it was deleted")
	}
	b.Delete(c.Key)
	b.Pause(time.Minute)
	if d := cmp.Diff(before, b.Account.Inventory()); d != "" {
		b.Errorf("the account is not as it was:\n%s", d)
	}
}

// listed checks that lists find the resource and say whose it is.
func (b *Bench) listed(c Case, id string) {
	b.Helper()
	kind := c.Spec.Kind()
	want := engine.Found{ID: id, Stack: b.Identity.ID, Name: b.Identity.Name, Key: c.Key}
	for _, stackID := range []string{b.Identity.ID, ""} {
		found, ok := b.Listed(kind, stackID, c.Key)
		if found.Tier != "" && found.Tier != b.Identity.Tier { // what hangs on a parent bears no tag that says it
			b.Errorf("list of %q: tier %q, want %q", stackID, found.Tier, b.Identity.Tier)
		}
		found.Attrs, found.Since, found.Tier = nil, time.Time{}, ""
		if d := cmp.Diff(want, found); !ok || d != "" {
			b.Errorf("list of %q:\n%s", stackID, d)
		}
	}
	if _, ok := b.Listed(kind, "another", c.Key); ok {
		b.Error("is listed as another deployment's")
	}
}

// settlesOnce checks that to settle a resource that is settled changes nothing.
func (b *Bench) settlesOnce(c Case) {
	b.Helper()
	before := string(b.Account.Dump())
	first := b.Record(c.Key)
	b.Settle(c.Key, c.Spec)
	if d := cmp.Diff(before, string(b.Account.Dump())); d != "" {
		b.Errorf("settling again changed the account:\n%s", d)
	}
	if d := cmp.Diff(first, b.Record(c.Key)); d != "" {
		b.Errorf("settling again changed the record:\n%s", d)
	}
}
