// Package permissiontest judges policies in tests: it works out what IAM would want allowed for a request that was seen, from
// AWS's Service Authorization Reference and not from the table of package permission, and asks a policy for it.
package permissiontest
