// Package permission is the table of what geusemaker asks of AWS: every operation, what it is for, and what IAM has to allow
// for it. From this table come the least-privilege policies that `iam policy` prints and the page docs/aws-operations.md.
// It is data and pure decisions and makes no call; tests hold it against what the commands are seen to ask.
package permission
