package engine

import (
	"time"

	"geusemaker/internal/stack"
)

// EventType says what happened.
type EventType string

// The types of events. Of each resource there is one EventStart and one of the endings: EventReady, EventKept,
// EventDeleted, EventFailed or EventSkipped.
const (
	EventPlan    EventType = "plan"    // what will happen; Plan is set
	EventStart   EventType = "start"   // work on a resource begins
	EventCreated EventType = "created" // it has an ID
	EventWaiting EventType = "waiting" // Text says for what, or what is tried
	EventReady   EventType = "ready"
	EventKept    EventType = "kept" // it was left as it is; Text says why
	EventDeleted EventType = "deleted"
	EventFailed  EventType = "failed"
	EventSkipped EventType = "skipped" // something that it needs failed, or the operation was stopped
	EventNote    EventType = "note"    // about the operation as a whole
	EventWarning EventType = "warning"
)

// Event is one thing that happened to one resource, or to the operation when Key is empty.
type Event struct {
	Time  time.Time
	Type  EventType
	Key   stack.Key
	Kind  stack.Kind
	ID    string
	Text  string
	Err   error
	Took  time.Duration // since the start of the work on the resource, in endings
	Usual time.Duration // how long such work usually takes, in EventStart
	Plan  *stack.Plan

	// Bytes of a download that are done and expected, where the text is about one.
	Done, Total int64
}

// Sink receives the events of an operation, one at a time, in the order in which they happened.
type Sink func(Event)
