package stack

import (
	"errors"
	"fmt"
	"slices"
)

// Spec is the wanted form of one resource: plain data. A field of type Key is an edge of the graph.
type Spec interface {
	Kind() Kind
	Refs() []Ref
}

// Ref is an edge: the resource that carries it is created only when the resource Key has reached Until.
type Ref struct {
	Key   Key
	Until Status // StatusCreated: its ID is enough; StatusReady: it must be usable
	// Late holds back only what comes after the create call: a gateway can be made before there is a VPC to attach it to.
	Late bool
	// Outlives turns the edge round once both exist: the carrier is then deleted after Key, not before. A data volume is
	// made for a machine that runs already, but must not be pulled from under it.
	Outlives bool
}

// onceCreated and onceReady are the usual edges.
func onceCreated(keys ...Key) []Ref { return refs(StatusCreated, keys) }
func onceReady(keys ...Key) []Ref   { return refs(StatusReady, keys) }

// late makes edges that hold back only what comes after the create call.
func late(edges []Ref) []Ref {
	for i := range edges {
		edges[i].Late = true
	}
	return edges
}

func refs(until Status, keys []Key) []Ref {
	var list []Ref
	for _, k := range keys {
		if k != "" {
			list = append(list, Ref{Key: k, Until: until})
		}
	}
	return list
}

// Node is one resource of a graph.
type Node struct {
	Key  Key
	Spec Spec
	// Adopt is the ID of a resource of the user's that is used as it is: checked, never tagged, changed or deleted.
	Adopt string
}

// Graph is the wanted form of a deployment, every node after those that it needs.
type Graph struct{ Nodes []Node }

// NewGraph checks the nodes and puts them into an order in which each comes after those that it refers to; among equals
// the given order stays. Duplicate keys, edges to nowhere and cycles are errors.
func NewGraph(nodes []Node) (Graph, error) {
	at := map[Key]int{}
	for i, n := range nodes {
		if _, twice := at[n.Key]; twice {
			return Graph{}, fmt.Errorf("resource %s is in the graph twice", n.Key)
		}
		at[n.Key] = i
	}
	var dangling []error
	for _, n := range nodes {
		for _, r := range n.Spec.Refs() {
			if _, ok := at[r.Key]; !ok {
				dangling = append(dangling, fmt.Errorf("resource %s refers to %s, which is not in the graph", n.Key, r.Key))
			}
		}
	}
	if len(dangling) > 0 {
		return Graph{}, errors.Join(dangling...)
	}
	order, cycle := Order(len(nodes), func(i int) []int {
		var needs []int
		for _, r := range nodes[i].Spec.Refs() {
			needs = append(needs, at[r.Key])
		}
		return needs
	})
	if cycle != nil {
		return Graph{}, fmt.Errorf("resources %s and %s need each other", nodes[cycle[0]].Key, nodes[cycle[len(cycle)-1]].Key)
	}
	g := Graph{Nodes: make([]Node, 0, len(nodes))}
	for _, i := range order {
		g.Nodes = append(g.Nodes, nodes[i])
	}
	return g, nil
}

// Find returns the node with the key.
func (g Graph) Find(key Key) (Node, bool) {
	i := slices.IndexFunc(g.Nodes, func(n Node) bool { return n.Key == key })
	if i < 0 {
		return Node{}, false
	}
	return g.Nodes[i], true
}

// Order sorts the numbers 0 to n-1 so that each comes after its needs; among equals the smaller number comes first. When
// that is impossible it returns the members of one cycle instead.
func Order(n int, needs func(int) []int) (order, cycle []int) {
	const white, grey, black = 0, 1, 2
	color := make([]int, n)
	var path []int
	var visit func(int) bool
	visit = func(i int) bool {
		switch color[i] {
		case black:
			return true
		case grey:
			cycle = path[slices.Index(path, i):]
			return false
		}
		color[i] = grey
		path = append(path, i)
		wants := slices.Clone(needs(i))
		slices.Sort(wants)
		for _, j := range wants {
			if !visit(j) {
				return false
			}
		}
		path = path[:len(path)-1]
		color[i] = black
		order = append(order, i)
		return true
	}
	for i := range n {
		if !visit(i) {
			return nil, slices.Clone(cycle)
		}
	}
	return order, nil
}
