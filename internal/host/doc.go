// Package host is what runs on the machine: the scripts, units, compose file and gateway configuration under files/, which
// are installed exactly as they lie there, and the two files that are made from a stack.Machine: machine.env, which the
// scripts read, and compose.user.yaml, which carries the user's own container settings.
//
// UserData packs them into a gzipped cloud-config. Nothing is templated into shell and no secret is in it: the machine
// fetches its secrets from Systems Manager with its own role.
package host
