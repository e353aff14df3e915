package term

import "testing"

func TestHelpIsLaidOutInTheWindow(t *testing.T) {
	const text = `Policy prints what IAM has to allow, and no more.
It asks nothing of AWS.

  deploy    plan, validate, discover, and deploy until it succeeds
  all       all of them
  security-groups Groups, with the rules that they lack

Examples:
  geusemaker iam policy --for deploy --region eu-central-1 --write policies

Flags:
      --key-pair string   EC2 key pair for SSH
`
	for _, tc := range []struct {
		name  string
		width int
		want  string
	}{
		{"on a pipe nothing is broken", 0, text},
		{"nor in a wide window", 100, text},
		{"explanations go on in their column", 46, `Policy prints what IAM has to allow, and no
more. It asks nothing of AWS.

  deploy    plan, validate, discover, and
            deploy until it succeeds
  all       all of them
  security-groups
      Groups, with the rules that they lack

Examples:
  geusemaker iam policy --for deploy --region eu-central-1 --write policies

Flags:
      --key-pair string   EC2 key pair for SSH
`},
		{"and beneath where there is no room", 40, `Policy prints what IAM has to allow, and
no more. It asks nothing of AWS.

  deploy
      plan, validate, discover, and
      deploy until it succeeds
  all       all of them
  security-groups
      Groups, with the rules that they
      lack

Examples:
  geusemaker iam policy --for deploy --region eu-central-1 --write policies

Flags:
      --key-pair string
          EC2 key pair for SSH
`},
	} {
		if got := (Screen{Width: tc.width}).Help(text); got != tc.want {
			t.Errorf("%s: got\n%s", tc.name, got)
		}
	}
}
