package term

import "testing"

func TestTheMarkOfTheSandboxStaysWhole(t *testing.T) {
	for width, want := range map[int]string{
		0:  "Checks for demo  [sandbox: nothing here is real or billed]\n",
		80: "Checks for demo  [sandbox: nothing here is real or billed]\n",
		40: "Checks for demo  [sandbox]\n",
		20: "Checks for demo\n[sandbox]\n",
	} {
		if got := (Screen{Width: width}).Heading("Checks for demo", "", true); got != want {
			t.Errorf("%d columns: %q", width, got)
		}
	}
}
