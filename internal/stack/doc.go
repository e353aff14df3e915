// Package stack holds the nouns of geusemaker: what a user wants (Config), what that becomes (Graph, Plan), what exists
// (Record, State), what it costs (Money, Cost) and what the machine says of itself (Report).
//
// It makes no calls, reads no files and imports only the standard library, so every decision in it can be tested as a
// value. Rooms above it act on these values: engine walks the graph, cloud makes the resources, host writes the machine's
// files, store keeps the state, term and cli show it.
package stack
