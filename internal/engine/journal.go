package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"sync"

	"geusemaker/internal/stack"
)

// Save makes a state durable before it returns.
type Save func(stack.State) error

// journal is the one writer of a state while an operation runs. Every change is saved, whole, before the method returns.
type journal struct {
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
	r := j.state.Records[n.Key]
	r = stack.Record{Key: n.Key, Kind: n.Spec.Kind(), Owned: true, Status: stack.StatusPending,
		Attempt: r.Attempt + 1, BegunAt: j.clock.Now().UTC()}
	r.Token = token(j.state.ID, n.Key, r.Attempt)
	for _, ref := range n.Spec.Refs() {
		if !ref.Outlives {
			r.Needs = append(r.Needs, ref.Key)
			continue
		}
		other := j.state.Records[ref.Key]
		other.Needs = append(other.Needs[:len(other.Needs):len(other.Needs)], n.Key)
		j.state.Records[ref.Key] = other
	}
	j.state.Records[n.Key] = r
	return r, j.persist()
}

func (j *journal) persist() error {
	j.state.UpdatedAt = j.clock.Now().UTC()
	j.state.Serial++
	if err := j.save(j.state.Clone()); err != nil {
		return fmt.Errorf("cannot save the state of %s: %w", j.state.Name, err)
	}
	return nil
}

// token is the same for the same intent, and differs after the resource was seen gone.
func token(id string, key stack.Key, attempt int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", id, key, attempt))
	return hex.EncodeToString(sum[:16])
}
