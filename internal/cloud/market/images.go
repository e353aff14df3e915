package market

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"geusemaker/internal/stack"
)

// State says whether AWS publishes images for a combination.
type State string

// The states of a combination.
const (
	Available    State = "available"
	Discontinued State = "discontinued" // AWS builds no new ones; the last may still be served
	Never        State = "never"        // there was none at any time
)

// Combination is one choice of os_type, architecture and ami_type, and what there is for it.
type Combination struct {
	OSType       string `json:"os_type"`
	Architecture string `json:"architecture"`
	AMIType      string `json:"ami_type"`
	State        State  `json:"state"`
	LoginUser    string `json:"login_user,omitempty"`
	RootDevice   string `json:"root_device,omitempty"`
	MinRootGiB   int    `json:"min_root_gib,omitempty"` // usual size; the image itself decides
	Note         string `json:"note,omitempty"`
	Instead      string `json:"instead,omitempty"` // what to use when the state is not available
	Source       string `json:"source"`
}

// Combinations lists every combination, by operating system, kind and architecture. It makes no calls.
func Combinations() []Combination {
	var all []Combination
	for _, l := range lines() {
		c := Combination{
			OSType: l.os, Architecture: l.arch, AMIType: l.kind, State: l.state, MinRootGiB: l.minGiB,
			Note: l.ended, Instead: l.instead, Source: l.source,
		}
		if l.state != Never {
			c.LoginUser, c.RootDevice = loginUser(l.os), rootDevice(l.os)
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b Combination) int {
		return cmp.Or(-cmp.Compare(a.OSType, b.OSType), kindOrder(a.AMIType)-kindOrder(b.AMIType), -cmp.Compare(a.Architecture, b.Architecture))
	})
	return all
}

func kindOrder(kind string) int {
	return slices.Index([]string{standard, base, pytorch, tensorflow, multi}, kind)
}

// candidate is one image that may serve a combination: the Systems Manager parameter that AWS or Canonical keeps pointed at
// its newest build, and its name, in which {date}, {serial} and {version} stand for what differs from build to
// build. The parameter is empty where none is documented.
type candidate struct{ parameter, name string }

// deep makes the candidates of Deep Learning AMIs from their names. The parameter follows from the name by the documented
// rule: lower case, words joined by hyphens, without the words deep, learning, ami, and without the architecture, which is
// in the path (Deep Learning AMIs developer guide, "Finding a DLAMI ID"). Images of Amazon Linux 2 were numbered, all
// others carry the date of their build.
func deep(arch, os string, names ...string) []candidate {
	build := "{date}"
	if os == amazon2 {
		build = "Version {version}"
	}
	var all []candidate
	for _, name := range names {
		var words []string
		for word := range strings.FieldsSeq(strings.ToLower(name)) {
			if !slices.Contains([]string{"deep", "learning", "ami", "arm64"}, word) {
				words = append(words, word)
			}
		}
		all = append(all, candidate{
			parameter: "/aws/service/deeplearning/ami/" + arch + "/" + strings.Join(append(words, os), "-") + "/latest/ami-id",
			name:      fmt.Sprintf("%s (%s) %s", name, title(os), build),
		})
	}
	return all
}

// title is the operating system as names of images spell it.
func title(os string) string {
	if version, ok := strings.CutPrefix(os, "ubuntu-"); ok {
		return "Ubuntu " + version
	}
	return "Amazon Linux " + strings.TrimPrefix(os, "amazon-linux-")
}

// placeholders are what differs between the builds of an image: how to search for it, and what it must turn out to be.
var placeholders = []struct{ name, search, exact string }{
	{"{date}", "????????", `[0-9]{8}`},
	{"{serial}", "*", `[0-9]{8}(\.[0-9]+)?`},
	{"{version}", "*", `[0-9]+(\.[0-9]+)*`},
}

// search is the name as a filter value of DescribeImages.
func (c candidate) search() string {
	s := c.name
	for _, p := range placeholders {
		s = strings.ReplaceAll(s, p.name, p.search)
	}
	return s
}

// matches reports whether name is that of a build of this image, and not one that a wildcard lets in by chance.
func (c candidate) matches(name string) bool {
	pattern := regexp.QuoteMeta(c.name)
	for _, p := range placeholders {
		pattern = strings.ReplaceAll(pattern, regexp.QuoteMeta(p.name), p.exact)
	}
	return regexp.MustCompile("^" + pattern + "$").MatchString(name)
}

// owner is the account that publishes the images of the line.
func (l line) owner() string {
	switch {
	case l.kind != standard:
		return ownerDeepLearning
	case strings.HasPrefix(l.os, "ubuntu"):
		return ownerCanonical
	default:
		return ownerAmazonLinux
	}
}

// Publisher names the account that owns an image.
func Publisher(account string) string {
	switch account {
	case ownerCanonical:
		return "Canonical (" + account + ")"
	case ownerAmazonLinux:
		return "Amazon Linux (" + account + ")"
	case ownerDeepLearning:
		return "AWS Deep Learning AMIs (" + account + ")"
	default:
		return "account " + account
	}
}

// loginUser is the user that may log in by SSH (EC2 user guide, "Manage system users on your EC2 Linux instance").
func loginUser(os string) string {
	if strings.HasPrefix(os, "ubuntu") {
		return "ubuntu"
	}
	return "ec2-user"
}

// rootDevice is the usual root device; the image itself decides.
func rootDevice(os string) string {
	if strings.HasPrefix(os, "ubuntu") {
		return "/dev/sda1"
	}
	return "/dev/xvda"
}

// lineOf finds the row of what the configuration asks for, and refuses what cannot be served: always what never existed,
// and what ended unless the user insists. It makes no calls.
func lineOf(c stack.Config) (line, error) {
	kind := c.AMITypeOrDefault()
	i := slices.IndexFunc(lines(), func(l line) bool { return l.os == c.OSType && l.arch == c.Architecture && l.kind == kind })
	if i < 0 {
		return line{}, &stack.FieldError{
			Key: "os_type", Fix: "`geusemaker images` lists what there is", Source: c.SourceOf("os_type"),
			Problem: fmt.Sprintf("no images are known for %s on %s with ami_type %s", c.OSType, c.Architecture, kind),
		}
	}
	l := lines()[i]
	key := "ami_type"
	if l.os == amazon2 && (kind == standard || kind == base || kind == pytorch) {
		key = "os_type"
	}
	switch {
	case l.state == Never:
		return line{}, &stack.FieldError{
			Key: key, Fix: l.instead, Source: c.SourceOf(key),
			Problem: fmt.Sprintf("AWS never had %s images for %s on %s", kind, l.os, l.arch),
		}
	case l.state == Discontinued && !c.AllowDiscontinued:
		return line{}, &stack.FieldError{
			Key: key, Source: c.SourceOf(key), Problem: l.ended,
			Fix: l.instead + ", or set allow_discontinued to true to use the last image",
		}
	}
	return l, nil
}
