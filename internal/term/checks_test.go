package term

import "testing"

func TestChecksStandBesideWhatWasFound(t *testing.T) {
	checks := []Check{
		{"ok", "region", "us-east-1 is enabled, with 6 zones", ""},
		{"error", "endpoint/ec2", "cannot be reached", "check the internet connection"},
		{"error", "endpoint/iam", "cannot be reached", "check the internet connection"},
		{"warning", "home", "is open to others", "chmod 700 it"},
	}
	for _, tc := range []struct {
		name   string
		screen Screen
		want   string
	}{
		{"on a pipe", Screen{}, `ok       region        us-east-1 is enabled, with 6 zones
error    endpoint/ec2  cannot be reached
error    endpoint/iam  cannot be reached
                       → check the internet connection
warning  home          is open to others
                       → chmod 700 it
`},
		{"in a narrow window", Screen{Width: 46}, `ok       region        us-east-1 is enabled,
                       with 6 zones
error    endpoint/ec2  cannot be reached
error    endpoint/iam  cannot be reached
                       → check the internet
                       connection
warning  home          is open to others
                       → chmod 700 it
`},
		{"for a screen reader", Screen{Accessible: true}, `ok region us-east-1 is enabled, with 6 zones
error endpoint/ec2 cannot be reached
error endpoint/iam cannot be reached
next: check the internet connection
warning home is open to others
next: chmod 700 it
`},
	} {
		if got := tc.screen.Checks(checks); got != tc.want {
			t.Errorf("%s: got\n%s", tc.name, got)
		}
	}
}
