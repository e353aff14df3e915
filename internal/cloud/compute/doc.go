// Package compute makes the machine of a deployment: it walks the offers until EC2 has room for it, waits for it, finds and
// terminates it, and asks it over Systems Manager how its boot goes.
package compute
