package opinion

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/second-opinion.md as it is now")

const head = `# A second opinion on the pretend account

Made from the list of behaviours in internal/cloud/opinion by ` + "`go test ./internal/cloud/opinion -update`" + `.

The pretend account is ours, so it may share our mistakes. Each behaviour of AWS in that list names the document of AWS that
tells of it. ` + "`make test`" + ` asks the pretend account for all of them, and ` + "`make conformance`" + ` asks moto too, a mock of AWS that
others wrote, through the same clients of the SDK. The pretend account has to answer as AWS does. What moto answers differently
is written down below, and tested, with the reason why the document decides.

The list has found the pretend account wrong seventeen times. It now has AWS's own spelling of the codes for malformed IDs of
gateways, route tables, interfaces and volumes; refuses empty tag keys as malformed; refuses pages together with IDs in
DescribeInstances; tells a volume that is attached to nothing from one that another machine has; bounds EFS creation tokens;
refuses DescribeMountTargets without a question; checks the paths of roles and profiles; keeps names that begin with aws to AWS;
bounds the pages and lists of Parameter Store and knows its filters also where there are no parameters; shows the routes of
gateway endpoints in their tables, refuses a second one for a service there, knows services from other names, and sends the states of endpoints as EC2 does, which
the SDK spells otherwise: until then every deploy would have waited for an endpoint that was long there.

"accepted" is a call that succeeds, "refused" one that is refused where AWS documents that but not the code, "HTTP 500" a
service that breaks. Answers to several calls stand in their order. moto runs with its checks of images, instance types and key
pairs switched on.
`

// TestPage compares the page of the documentation with the list; -update writes it.
func TestPage(t *testing.T) {
	path := filepath.Join("..", "..", "..", "docs", "second-opinion.md")
	if *update {
		if err := os.WriteFile(path, []byte(page()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), page()); diff != "" {
		t.Errorf("%s is not what the list says (go test ./internal/cloud/opinion -update):\n%s", path, diff)
	}
}

func page() string {
	var summary, tables strings.Builder
	all, different := 0, 0
	for _, c := range chapters() {
		var rows strings.Builder
		n := 0
		for _, b := range c.behaviours {
			if b.differs() {
				n++
				fmt.Fprintf(&rows, "| %s | %s | %s | %s (%s) |\n", b.name, b.aws, b.moto, b.why, b.source)
			}
		}
		fmt.Fprintf(&summary, "| %s | %d | %d |\n", c.title, len(c.behaviours), n)
		if n > 0 {
			fmt.Fprintf(&tables, "\n## %s\n\n| behaviour | AWS and the pretend account | moto | why AWS's document decides |\n|---|---|---|---|\n%s", c.title, rows.String())
		}
		all, different = all+len(c.behaviours), different+n
	}
	return fmt.Sprintf("%s\n| part | behaviours | moto differs |\n|---|---:|---:|\n%s| **all** | **%d** | **%d** |\n%s",
		head, summary.String(), all, different, tables.String())
}
