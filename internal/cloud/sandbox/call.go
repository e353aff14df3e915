package sandbox

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"time"
)

// operation answers one operation of a service from its typed input with its typed output.
type operation func(c *call, input any) (any, error)

// on registers the handler of one operation.
func on[In, Out any](all map[string]operation, service, name string, handle func(*call, *In) (*Out, error)) {
	all[service+"."+name] = func(c *call, input any) (any, error) {
		typed, ok := input.(*In)
		if !ok {
			return nil, fmt.Errorf("sandbox: %s %s was called with %T", service, name, input)
		}
		out, err := handle(c, typed)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

// operations lists everything that the sandbox answers.
func operations() map[string]operation {
	all := map[string]operation{}
	for _, register := range []func(map[string]operation){
		registerVPC, registerSubnets, registerGateways, registerRoutes, registerSecurityGroups, registerInterfaces,
		registerEndpoints, registerTags, registerImages, registerKeyPairs, registerMarket, registerInstanceTypes,
		registerInstances, registerInstanceAttributes, registerSpotRequests, registerVolumes, registerFileSystems,
		registerMountTargets, registerRoles, registerProfiles, registerParameters, registerCommands, registerSessions, registerIdentity,
		registerPricing, registerQuotas, registerNetworkACLs, registerNATGateways, registerPeerings, registerBalancers,
		registerPrefixLists,
	} {
		register(all)
	}
	return all
}

// call is one operation at work. Handlers check everything before they change anything.
type call struct {
	account *Account
	state   *state
	region  *region // nil for global services
	now     time.Time
	random  *rand.Rand
	dry     bool // RunInstances with DryRun: check, then answer DryRunOperation
}

// hex draws n hexadecimal digits.
func (c *call) hex(n int) string {
	const digits = "0123456789abcdef"
	text := make([]byte, n)
	for i := range text {
		text[i] = digits[c.random.IntN(len(digits))]
	}
	return string(text)
}

// upper draws n letters and digits as IAM's unique ids have them.
func (c *call) upper(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[c.random.IntN(len(letters))]
	}
	return string(text)
}

func (c *call) uuid() string {
	return c.hex(8) + "-" + c.hex(4) + "-" + c.hex(4) + "-" + c.hex(4) + "-" + c.hex(12)
}

// newID draws an id in the long format: the prefix and 17 hexadecimal digits (EC2 user guide, "Resource IDs").
func (c *call) newID(prefix string) string { return prefix + "-0" + c.hex(16) }

// maxLag is the longest that a new id stays unknown to reads and dependent calls.
const maxLag = 3 * time.Second

// birth makes the common part of a new resource: its id, and when reads begin to know it. One in four is missed once more
// after it was first seen (EC2 developer guide, "Eventual consistency").
func (c *call) birth(id string, tags map[string]string) resource {
	seen := c.now.Add(time.Duration(c.random.Int64N(int64(maxLag))))
	r := resource{ID: id, Born: c.now, Seen: seen, Tags: maps.Clone(tags)}
	if c.random.IntN(4) == 0 {
		r.Blink = seen.Add(time.Duration(c.random.IntN(1500)) * time.Millisecond)
	}
	return r
}

func (c *call) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + c.region.Name + ":" + c.state.Account + ":" + resource
}
