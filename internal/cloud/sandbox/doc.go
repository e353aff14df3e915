// Package sandbox is a pretend AWS account. It is how newcomers try every command without an account, and how the
// life-cycle tests run.
//
// It sits under the AWS SDK, not beside it: Account.Config returns an aws.Config whose APIOptions answer each request just
// before it would be signed and sent. So the SDK's own validation, idempotency tokens, serialisation, pagination and retryer
// all run for real, and only the wire is replaced. Answers follow the rules of the real services: states that take time,
// ids that reads do not know yet, conflicts, dependency violations, quotas, capacity by pool, late instance profiles and an
// agent that comes up seconds after its machine.
//
// Time is virtual (see Clock): at the default speed a deployment of three minutes takes nine seconds, and inside a
// testing/synctest bubble it takes none. The account lives in memory and, when Options.Path is set, in one file that
// several processes may use at once.
//
// It is a test bench, not the product. Where it and AWS differ, AWS is right.
package sandbox
