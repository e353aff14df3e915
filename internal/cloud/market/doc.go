// Package market finds out what an account and region have to offer before a plan is made: who calls, which image, which
// machine types at which price in which zones, which addresses are free, what the quotas allow, and whether anything stands
// against a deployment.
//
// It changes nothing: what it asks besides reading are dry runs. What is nice to know but not needed (spot prices, list
// prices, quotas, placement scores) never stops a deployment: when it cannot be had, a warning says so in words.
package market
