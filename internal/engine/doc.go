// Package engine holds the verbs of geusemaker: it plans, applies and destroys a deployment by walking its graph, many
// resources at once, and writes down every intent before it acts, so that a process that dies at any moment leaves nothing
// that the next one does not find.
//
// It knows no kind of resource and no cloud: drivers make things, a store keeps the state, a sink shows what happens.
package engine
