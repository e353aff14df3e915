// Package cli is the command line: a file per command, the way from flags, environment and file to a configuration, the
// wiring of the rooms for one invocation, and the way from errors to words and exit codes.
package cli
