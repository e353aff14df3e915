// Package network makes, finds and removes the parts of a deployment's network: VPC, internet gateway, subnets, route
// table and security groups.
package network
