package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"

	"geusemaker/internal/stack"
)

// Save makes a state durable before it returns.
type Save func(stack.State) error

// journal is the one writer of a state while an operation runs. Every change is saved, whole, before the method returns.
type journal struct {
	// outlivers are, for each resource, those that refer to it and outlive it.
	outlivers map[stack.Key][]stack.Key

	mu    sync.Mutex
	state *stack.State
	save  Save
	clock Clock
}

// get returns what is recorded of a resource.
func (j *journal) get(key stack.Key) stack.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.state.Records[key]
	r.Attrs = maps.Clone(r.Attrs)
	return r
}

// tags are those that a resource of the deployment carries.
func (j *journal) tags(key stack.Key) map[string]string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state.Tags(key)
}

// change lets edit alter the record of a resource and saves the result. With drop, the record goes.
func (j *journal) change(key stack.Key, edit func(*stack.Record) (drop bool)) (stack.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state.Records == nil {
		j.state.Records = map[stack.Key]stack.Record{}
	}
	r := j.state.Records[key]
	r.Key = key
	if edit(&r) {
		delete(j.state.Records, key)
	} else {
		j.state.Records[key] = r
	}
	return r, j.persist()
}

// intend records that the resource of the node is about to be made, with the edges that its removal will follow.
func (j *journal) intend(n stack.Node) (stack.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state.Records == nil {
		j.state.Records = map[stack.Key]stack.Record{}
	}
	old := j.state.Records[n.Key]
	r := stack.Record{
		Key: n.Key, Kind: n.Spec.Kind(), Owned: true, Status: stack.StatusPending,
		Needs:   old.Needs, // edges that others turned round stay
		Attempt: max(old.Attempt, 1), BegunAt: j.clock.Now().UTC(),
	}
	if old.ID != "" { // there was one, and it is gone
		r.Attempt = old.Attempt + 1
	}
	r.Token = token(j.state.ID, r)
	for _, ref := range n.Spec.Refs() {
		if !ref.Outlives {
			r.Needs = with(r.Needs, ref.Key)
			continue
		}
		other := j.state.Records[ref.Key]
		other.Needs = with(other.Needs, n.Key)
		j.state.Records[ref.Key] = other
	}
	// What outlived an earlier one of the kind belongs to this one from now on, and is settled on it anew.
	for _, key := range j.outlivers[n.Key] {
		if outliver, ok := j.state.Records[key]; ok {
			r.Needs = with(r.Needs, key)
			if outliver.Status == stack.StatusReady {
				outliver.Status = stack.StatusCreated
				j.state.Records[key] = outliver
			}
		}
	}
	j.state.Records[n.Key] = r
	return r, j.persist()
}

// outlivers turns the edges of a graph round that are turned round once both ends exist.
func outlivers(g stack.Graph) map[stack.Key][]stack.Key {
	all := map[stack.Key][]stack.Key{}
	for _, n := range g.Nodes {
		for _, ref := range n.Spec.Refs() {
			if ref.Outlives {
				all[ref.Key] = append(all[ref.Key], n.Key)
			}
		}
	}
	return all
}

// with returns the list with the key in it, once.
func with(list []stack.Key, key stack.Key) []stack.Key {
	if slices.Contains(list, key) {
		return list
	}
	return append(slices.Clip(list), key)
}

func (j *journal) persist() error {
	j.state.UpdatedAt = j.clock.Now().UTC()
	j.state.Meter(j.state.UpdatedAt)
	j.state.Serial++
	if err := j.save(j.state.Clone()); err != nil {
		return fmt.Errorf("cannot save the state of %s: %w", j.state.Name, err)
	}
	return nil
}

// token is the same for the same intent. It differs for every other one: AWS remembers a token for an hour or more after
// its resource is gone, and refuses it then.
func token(id string, r stack.Record) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%d", id, r.Key, r.Attempt, r.BegunAt.UnixNano()))
	return hex.EncodeToString(sum[:16])
}
