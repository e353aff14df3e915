// Package apitest is the bench on which the drivers of internal/cloud are tested: a pretend account with clients of the
// AWS SDK on it, the part of the engine that a driver sees, and the suite that every driver must pass.
package apitest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Region is where the bench's account is used.
const Region = "us-east-1"

// Bench is an account, its clients' configuration and what is recorded of a deployment. Use it in a testing/synctest bubble,
// where waiting costs nothing.
type Bench struct {
	*testing.T
	Account  *sandbox.Account
	Config   aws.Config
	Drivers  map[stack.Kind]engine.Driver
	Identity stack.Identity

	mu       sync.Mutex
	records  map[stack.Key]stack.Record
	attempts map[stack.Key]int
	calls    []api.Call
	told     []string
	warned   []string
}

// New opens a new account. The seed decides how late reads learn of what is new.
func New(t *testing.T, seed uint64) *Bench {
	t.Helper()
	account, err := sandbox.Open(sandbox.Options{Speed: 1, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = account.Close() })
	b := &Bench{
		T: t, Account: account, Config: account.Config(Region), Drivers: map[stack.Kind]engine.Driver{},
		Identity: stack.Identity{ID: "0123456789abcdef", Name: "demo", Account: "111122223333", Region: Region, Tier: stack.TierDev},
		records:  map[stack.Key]stack.Record{}, attempts: map[stack.Key]int{},
	}
	api.Guard(&b.Config)
	api.Observe(&b.Config, account.Clock(), func(c api.Call) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.calls = append(b.calls, c)
	})
	return b
}

// Use adds drivers to the bench.
func (b *Bench) Use(drivers map[stack.Kind]engine.Driver) { maps.Copy(b.Drivers, drivers) }

// Record returns what is recorded of a resource.
func (b *Bench) Record(key stack.Key) stack.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.records[key]
}

// Put records a resource that the test itself has made.
func (b *Bench) Put(r stack.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records[r.Key] = r
}

// Target is a resource as its driver gets to see it. The spec is nil for reads and deletes.
func (b *Bench) Target(key stack.Key, spec stack.Spec) engine.Target {
	note := func(list *[]string) func(string) {
		return func(text string) {
			b.mu.Lock()
			defer b.mu.Unlock()
			*list = append(*list, text)
		}
	}
	return engine.Target{
		Stack: b.Identity, Key: key, Spec: spec, Record: b.Record(key),
		Tags: map[string]string{
			stack.TagStack: b.Identity.ID, stack.TagName: b.Identity.Name, stack.TagKey: string(key),
			stack.TagTier: b.Identity.Tier, stack.TagVersion: "test",
		},
		Need: b.Record, Tell: note(&b.told), Warn: note(&b.warned),
		Stopping: func() bool { return false },
	}
}

// Intend records that a resource is about to be made.
func (b *Bench) Intend(key stack.Key, kind stack.Kind) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempts[key]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", b.Identity.ID, key, b.attempts[key]))
	b.records[key] = stack.Record{
		Key: key, Kind: kind, Owned: true, Status: stack.StatusPending,
		BegunAt: b.Account.Clock().Now(), Token: hex.EncodeToString(sum[:16]),
	}
}

// Learn records what a driver has found out about a resource.
func (b *Bench) Learn(key stack.Key, found engine.Found) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.records[key]
	r.ID, r.Status = found.ID, stack.StatusCreated
	if r.CreatedAt.IsZero() {
		r.CreatedAt = b.Account.Clock().Now()
	}
	attrs := maps.Clone(r.Attrs)
	if attrs == nil {
		attrs = map[string]string{}
	}
	maps.Copy(attrs, found.Attrs)
	r.Attrs = attrs
	b.records[key] = r
}

// Create makes a resource and records it.
func (b *Bench) Create(key stack.Key, spec stack.Spec) engine.Found {
	b.Helper()
	b.Intend(key, spec.Kind())
	found, err := b.driver(spec.Kind()).Create(b.Context(), b.Target(key, spec))
	if err != nil {
		b.Fatalf("create %s: %v", key, err)
	}
	if found.ID == "" {
		b.Fatalf("create %s: no ID", key)
	}
	b.Learn(key, found)
	return found
}

// Settle settles a resource and records the result.
func (b *Bench) Settle(key stack.Key, spec stack.Spec) engine.Found {
	b.Helper()
	found, err := b.driver(spec.Kind()).Settle(b.Context(), b.Target(key, spec))
	if err != nil {
		b.Fatalf("settle %s: %v", key, err)
	}
	b.Learn(key, found)
	return found
}

// Make creates and settles a resource.
func (b *Bench) Make(key stack.Key, spec stack.Spec) engine.Found {
	b.Helper()
	b.Create(key, spec)
	return b.Settle(key, spec)
}

// Delete deletes a resource.
func (b *Bench) Delete(key stack.Key) {
	b.Helper()
	r := b.Record(key)
	if err := b.driver(r.Kind).Delete(b.Context(), b.Target(key, nil)); err != nil {
		b.Fatalf("delete %s: %v", key, err)
	}
}

// Listed returns the resource with the key among all of its kind, as the engine looks for it: reads may lag.
func (b *Bench) Listed(kind stack.Kind, stackID string, key stack.Key) (engine.Found, bool) {
	b.Helper()
	for range 5 {
		all, err := b.driver(kind).List(b.Context(), stackID)
		if err != nil {
			b.Fatalf("list %s: %v", kind, err)
		}
		if i := slices.IndexFunc(all, func(f engine.Found) bool { return f.Key == key }); i >= 0 {
			return all[i], true
		}
		b.Pause(2 * time.Second)
	}
	return engine.Found{}, false
}

// Pause lets time pass in the account.
func (b *Bench) Pause(d time.Duration) {
	b.Helper()
	if err := b.Account.Clock().Sleep(b.Context(), d); err != nil {
		b.Fatal(err)
	}
}

// Fault adds a fault to the account.
func (b *Bench) Fault(f sandbox.Fault) {
	b.Helper()
	if err := b.Account.AddFault(f); err != nil {
		b.Fatal(err)
	}
}

// Calls returns the operations that were called, in order, and forgets them.
func (b *Bench) Calls() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for _, c := range b.calls {
		names = append(names, c.Operation)
	}
	b.calls = nil
	return names
}

// Told returns what people were told.
func (b *Bench) Told() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.told)
}

// Warned returns what people were warned of.
func (b *Bench) Warned() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.warned)
}

func (b *Bench) driver(kind stack.Kind) engine.Driver {
	b.Helper()
	d, ok := b.Drivers[kind]
	if !ok {
		b.Fatalf("there is no driver for %s", kind)
	}
	return d
}

// Absent reports that a resource is not found by its recorded ID.
func (b *Bench) Absent(key stack.Key) bool {
	b.Helper()
	r := b.Record(key)
	_, err := b.driver(r.Kind).Read(b.Context(), b.Target(key, nil))
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		b.Fatalf("read %s: %v", key, err)
	}
	return err != nil
}
