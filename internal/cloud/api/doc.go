// Package api is how geusemaker speaks to AWS: it dials, observes calls, keeps the SDK from repeating what must not be
// repeated, reads error codes, waits, and translates tags and errors.
//
// It knows no kind of resource. The rooms beside it hold the drivers.
package api
