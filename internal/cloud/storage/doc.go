// Package storage makes, finds and removes what holds a deployment's data: the EFS file system with its mount targets and
// the EBS volume of the databases.
package storage
