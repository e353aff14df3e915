// Package identity makes what the machine is and knows: its role with what the role may do, the instance profile that hands
// the role to EC2, and the one encrypted parameter with the deployment's generated secrets.
package identity
