package stack_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// part is a resource of no real kind.
type part []stack.Ref

func (part) Kind() stack.Kind    { return "part" }
func (p part) Refs() []stack.Ref { return p }

func node(key stack.Key, needs ...stack.Key) stack.Node {
	var p part
	for _, n := range needs {
		p = append(p, stack.Ref{Key: n, Until: stack.StatusReady})
	}
	return stack.Node{Key: key, Spec: p}
}

func keys(nodes []stack.Node) []stack.Key {
	var list []stack.Key
	for _, n := range nodes {
		list = append(list, n.Key)
	}
	return list
}

func TestNewGraph(t *testing.T) {
	for _, tt := range []struct {
		name  string
		nodes []stack.Node
		want  []stack.Key
		err   string
	}{
		{"empty", nil, nil, ""},
		{"ordered already", []stack.Node{node("a"), node("b"), node("c", "a"), node("d", "b")}, []stack.Key{"a", "b", "c", "d"}, ""},
		{"needs are pulled forward", []stack.Node{node("d", "c", "b"), node("a"), node("b"), node("c")}, []stack.Key{"b", "c", "d", "a"}, ""},
		{"twice", []stack.Node{node("a"), node("b"), node("a")}, nil, "resource a is in the graph twice"},
		{
			"dangling",
			[]stack.Node{node("a", "x"), node("b", "a", "y")},
			nil,
			"resource a refers to x, which is not in the graph\nresource b refers to y, which is not in the graph",
		},
		{"cycle", []stack.Node{node("z"), node("a", "z", "b"), node("b", "c"), node("c", "a")}, nil, "resources a and c need each other"},
		{"self", []stack.Node{node("a", "a")}, nil, "resources a and a need each other"},
	} {
		g, err := stack.NewGraph(tt.nodes)
		if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%s: error %q, want %q", tt.name, err, tt.err)
		}
		if diff := cmp.Diff(tt.want, keys(g.Nodes)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	g, err := stack.NewGraph([]stack.Node{node("b", "a"), node("a")})
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := g.Find("b"); !ok || n.Key != "b" {
		t.Errorf("Find(b) = %v, %t", n, ok)
	}
	if _, ok := g.Find("c"); ok {
		t.Error("Find finds what is not there")
	}
}

// Any acyclic graph is put in order, in whatever order it comes; one with a cycle is refused, and what is named is one.
func FuzzOrder(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed, uint8(seed%12), seed%3 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, size uint8, anyway bool) {
		random := rand.New(rand.NewPCG(seed, 7))
		n := int(size % 40)
		rank := random.Perm(n) // an edge from high to low cannot close a cycle
		needs := make([][]int, n)
		for range n * 2 {
			from, to := random.IntN(n), random.IntN(n)
			if anyway || rank[from] > rank[to] {
				needs[from] = append(needs[from], to)
			}
		}
		order, cycle := stack.Order(n, func(i int) []int { return needs[i] })
		if cycle != nil {
			if !anyway {
				t.Fatalf("a cycle %v in an acyclic graph %v", cycle, needs)
			}
			for k, i := range cycle {
				if next := cycle[(k+1)%len(cycle)]; !slices.Contains(needs[i], next) {
					t.Fatalf("%v is called a cycle, but %d does not need %d: %v", cycle, i, next, needs)
				}
			}
			return
		}
		at := make([]int, n)
		for k, i := range order {
			at[i] = k
		}
		if sorted := slices.Sorted(slices.Values(order)); len(order) != n || n > 0 && (sorted[0] != 0 || len(slices.Compact(sorted)) != n) {
			t.Fatalf("order %v does not hold each of %d once", order, n)
		}
		for i, list := range needs {
			for _, j := range list {
				if at[j] >= at[i] {
					t.Fatalf("%d comes before %d, which it needs: %v in %v", i, j, needs, order)
				}
			}
		}
		again, _ := stack.Order(n, func(k int) []int {
			var list []int
			for _, j := range needs[order[k]] {
				list = append(list, at[j])
			}
			return list
		})
		for k, i := range again {
			if k != i {
				t.Fatalf("what is in order is put into another order: %v", again)
			}
		}
	})
}

func TestPlanText(t *testing.T) {
	p := stack.Plan{Steps: []stack.Step{
		{Key: "a", Kind: "part", Action: stack.ActionKeep, Cause: "a-1", Needs: []stack.Key{}},
		{Key: "b", Kind: "part", Action: stack.ActionKeep, Needs: []stack.Key{"a"}},
	}}
	if p.Changes() {
		t.Error("keeping changes something")
	}
	p.Steps = append(p.Steps, stack.Step{Key: "c", Kind: "other", Action: stack.ActionDelete, Cause: "c-1", Needs: []stack.Key{"b", "a"}})
	if !p.Changes() || p.Count(stack.ActionKeep) != 2 || p.Count(stack.ActionDelete) != 1 || p.Count(stack.ActionCreate) != 0 {
		t.Errorf("changes %t, keeps %d, deletes %d", p.Changes(), p.Count(stack.ActionKeep), p.Count(stack.ActionDelete))
	}
	want := "keep a [part], a-1\nkeep b [part] after a\ndelete c [other], c-1 after b, a\n"
	if diff := cmp.Diff(want, fmt.Sprint(p)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

func TestReached(t *testing.T) {
	for _, tt := range []struct {
		status, want stack.Status
		reached      bool
	}{
		{"", stack.StatusCreated, false},
		{stack.StatusPending, stack.StatusCreated, false},
		{stack.StatusCreated, stack.StatusCreated, true},
		{stack.StatusCreated, stack.StatusReady, false},
		{stack.StatusReady, stack.StatusCreated, true},
		{stack.StatusReady, stack.StatusReady, true},
		{stack.StatusDeleting, stack.StatusCreated, false},
	} {
		if got := tt.status.Reached(tt.want); got != tt.reached {
			t.Errorf("%q has reached %q: %t", tt.status, tt.want, got)
		}
	}
}
