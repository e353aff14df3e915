package term

import (
	"errors"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// epoch is when the scripted operations begin.
var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// fakeClock is where a script has got to.
type fakeClock struct{ now time.Time }

func (c *fakeClock) Now() time.Time { return c.now }

// at is an event so many seconds after the start.
func at(seconds float64, ev engine.Event) engine.Event {
	ev.Time = epoch.Add(time.Duration(seconds * float64(time.Second)))
	return ev
}

func ready1(s float64, key stack.Key, id string, took time.Duration) engine.Event {
	return at(s, engine.Event{Type: engine.EventReady, Key: key, ID: id, Took: took})
}

func start1(s float64, key stack.Key, kind stack.Kind) engine.Event {
	usual, _ := kind.Usual()
	return at(s, engine.Event{Type: engine.EventStart, Key: key, Kind: kind, Usual: usual})
}

func tell(s float64, key stack.Key, text string) engine.Event {
	return at(s, engine.Event{Type: engine.EventWaiting, Key: key, Text: text})
}

func create(key stack.Key, kind stack.Kind, cause string, hourly stack.Money, needs ...stack.Key) stack.Step {
	return stack.Step{Key: key, Kind: kind, Action: stack.ActionCreate, Cause: cause, Hourly: hourly, Guess: kind == stack.KindFileSystem, Needs: needs}
}

// examplePlan is a fresh deployment with an adopted and a kept resource.
func examplePlan() stack.Plan {
	const cent = stack.Dollar / 100
	return stack.Plan{Steps: []stack.Step{
		{Key: "access/host", Kind: stack.KindSecurityGroup, Action: stack.ActionAdopt, Cause: "sg-0123456789abcdef0 is yours and stays as it is"},
		{Key: "secret/stack", Kind: stack.KindParameter, Action: stack.ActionKeep, Cause: "/geusemaker/k3x/stack"},
		create("network/vpc", stack.KindVPC, "10.20.0.0/16", 0),
		create("network/gateway", stack.KindGateway, "", 0, "network/vpc"),
		create("network/public-a", stack.KindSubnet, "10.20.0.0/19 in us-east-1a", 0, "network/vpc"),
		create("network/public-b", stack.KindSubnet, "10.20.32.0/19 in us-east-1b", 0, "network/vpc"),
		create("network/routes", stack.KindRouteTable, "", 0, "network/vpc", "network/gateway", "network/public-a", "network/public-b"),
		create("storage/files", stack.KindFileSystem, "encrypted, elastic throughput", 2*cent/5),
		create("storage/mount-a", stack.KindMountTarget, "", 0, "storage/files", "network/public-a"),
		create("identity/role", stack.KindRole, "AmazonSSMManagedInstanceCore", 0),
		create("identity/profile", stack.KindProfile, "", 0, "identity/role"),
		create("compute/instance", stack.KindInstance, "m7i.large spot, root 40 GiB", 4*cent, "network/routes", "access/host", "identity/profile"),
		create("storage/data", stack.KindVolume, "40 GiB gp3, 250 MiB/s", cent, "compute/instance"),
	}}
}

const image = stack.Key("image/docker.n8n.io/n8nio/n8n:2.46.5")

// deployScript is a deployment whose launch finds capacity at the second try, and whose boot fails.
func deployScript() []engine.Event {
	plan := examplePlan()
	s := time.Second
	return []engine.Event{
		at(0, engine.Event{Type: engine.EventPlan, Plan: &plan}),
		at(0, engine.Event{Type: engine.EventKept, Key: "secret/stack", Kind: stack.KindParameter, ID: "/geusemaker/k3x/stack", Text: "exists already"}),
		start1(0, "access/host", stack.KindSecurityGroup),
		start1(0, "network/vpc", stack.KindVPC),
		start1(0, "storage/files", stack.KindFileSystem),
		start1(0, "identity/role", stack.KindRole),
		at(1, engine.Event{Type: engine.EventCreated, Key: "network/vpc", ID: "vpc-0aa11"}),
		start1(1, "network/gateway", stack.KindGateway),
		start1(1, "network/public-a", stack.KindSubnet),
		start1(1, "network/public-b", stack.KindSubnet),
		ready1(1, "access/host", "sg-0123456789abcdef0", s),
		ready1(2, "identity/role", "geusemaker-demo-k3x", 2*s),
		start1(2, "identity/profile", stack.KindProfile),
		ready1(3, "network/vpc", "vpc-0aa11", 3*s),
		ready1(3, "network/gateway", "igw-0bb22", 2*s),
		ready1(4, "network/public-a", "subnet-0cc33", 3*s),
		ready1(4, "network/public-b", "subnet-0dd44", 3*s),
		start1(4, "network/routes", stack.KindRouteTable),
		tell(5, "storage/files", "waiting for the file system to become available"),
		ready1(6, "network/routes", "rtb-0ee55", 2*s),
		ready1(8, "storage/files", "fs-0ff66", 8*s),
		start1(8, "storage/mount-a", stack.KindMountTarget),
		at(9, engine.Event{Type: engine.EventNote, Text: "spot capacity is rare in us-east-1 today"}),
		ready1(12, "identity/profile", "geusemaker-demo-k3x", 10*s),
		start1(12, "compute/instance", stack.KindInstance),
		tell(12, "compute/instance", "trying m7i.large spot in us-east-1a"),
		tell(14, "compute/instance", "no spot capacity for m7i.large in us-east-1a"),
		tell(14, "compute/instance", "trying m7a.large spot in us-east-1b"),
		at(17, engine.Event{Type: engine.EventWarning, Key: "compute/instance", Text: "m7a.large costs more than the first choice", Err: errors.New("MaxSpotInstanceCountExceeded")}),
		at(18, engine.Event{Type: engine.EventCreated, Key: "compute/instance", ID: "i-0a1b2c3d"}),
		start1(18, "storage/data", stack.KindVolume),
		ready1(27, "compute/instance", "i-0a1b2c3d", 15*s),
		ready1(31, "storage/data", "vol-0778899", 13*s),
		at(40, engine.Event{Type: engine.EventStart, Key: "boot/images", Kind: "boot"}),
		at(41, engine.Event{Type: engine.EventStart, Key: image, Kind: "image"}),
		at(42, engine.Event{Type: engine.EventWaiting, Key: image, Kind: "image", Text: "pulling", Done: 0, Total: 540_000_000}),
		at(46, engine.Event{Type: engine.EventWaiting, Key: image, Kind: "image", Text: "pulling", Done: 312_000_000, Total: 540_000_000}),
		at(50, engine.Event{Type: engine.EventWaiting, Key: image, Kind: "image", Text: "pulling", Done: 320_000_000, Total: 540_000_000}),
		at(54, engine.Event{Type: engine.EventReady, Key: image, Kind: "image", Text: "done", Done: 540_000_000, Total: 540_000_000, Took: 13 * s}),
		at(60, engine.Event{
			Type: engine.EventFailed, Key: "boot/images", Kind: "boot", Text: "pull of crawl4ai failed", Took: 20 * s,
			Err: errors.Join(errors.New("toomanyrequests: You have reached your pull rate limit"), errors.New("giving up after 5 tries")),
		}),
		ready1(97, "storage/mount-a", "fsmt-0112233", 89*s),
		at(98, engine.Event{Type: engine.EventSkipped, Key: "service/n8n", Kind: "service", Text: "the boot failed"}),
	}
}

// launchFails is the end of a deployment for which there was no capacity.
func launchFails() []engine.Event {
	plan := examplePlan()
	return []engine.Event{
		at(0, engine.Event{Type: engine.EventPlan, Plan: &plan}),
		start1(2, "network/vpc", stack.KindVPC),
		ready1(5, "network/vpc", "vpc-0aa11", 3*time.Second),
		start1(6, "compute/instance", stack.KindInstance),
		tell(6, "compute/instance", "no spot capacity for m7i.large in us-east-1a"),
		tell(9, "compute/instance", "no spot capacity for m7i.large in us-east-1b"),
		tell(11, "compute/instance", "no on-demand capacity for m7i.large in us-east-1a"),
		at(12, engine.Event{
			Type: engine.EventFailed, Key: "compute/instance", Took: 6 * time.Second,
			Err: &engine.ResourceError{Key: "compute/instance", Err: errors.New("InsufficientInstanceCapacity: there is no capacity for m7i.large in any zone; try --instance-type m6i.large, or another region")},
		}),
		at(12, engine.Event{Type: engine.EventSkipped, Key: "storage/data", Kind: stack.KindVolume}),
	}
}

// destroyScript is a removal in which one resource cannot go, one was never made, and the scan finds a stranger.
func destroyScript() []engine.Event {
	s := time.Second
	del := func(key stack.Key, kind stack.Kind, cause string, needs ...stack.Key) stack.Step {
		return stack.Step{Key: key, Kind: kind, Action: stack.ActionDelete, Cause: cause, Needs: needs}
	}
	plan := stack.Plan{Steps: []stack.Step{
		del("storage/data", stack.KindVolume, "vol-0778899"),
		del("compute/instance", stack.KindInstance, "i-0a1b2c3d", "storage/data"),
		del("network/public-a", stack.KindSubnet, "subnet-0cc33", "compute/instance"),
		del("network/public-b", stack.KindSubnet, "", "compute/instance"),
		del("network/vpc", stack.KindVPC, "vpc-0aa11", "network/public-a", "network/public-b"),
		{Key: "storage/files", Kind: stack.KindFileSystem, Action: stack.ActionKeep, Cause: "it holds your data"},
	}}
	start := func(t float64, key stack.Key, id string) engine.Event {
		return at(t, engine.Event{Type: engine.EventStart, Key: key, ID: id, Text: "deleting", Usual: 30 * s})
	}
	gone := func(t float64, key stack.Key, id, text string, took time.Duration) engine.Event {
		return at(t, engine.Event{Type: engine.EventDeleted, Key: key, ID: id, Text: text, Took: took})
	}
	return []engine.Event{
		at(0, engine.Event{Type: engine.EventPlan, Plan: &plan, Text: "destroying demo"}),
		start(0, "storage/data", "vol-0778899"),
		gone(4, "storage/data", "vol-0778899", "", 4*s),
		start(4, "compute/instance", "i-0a1b2c3d"),
		tell(5, "compute/instance", "waiting for the machine to terminate"),
		gone(30, "compute/instance", "i-0a1b2c3d", "", 26*s),
		start(30, "network/public-a", "subnet-0cc33"),
		start(30, "network/public-b", ""),
		gone(31, "network/public-b", "", "was never made", s),
		tell(32, "network/public-a", "still used by a network interface"),
		at(95, engine.Event{
			Type: engine.EventFailed, Key: "network/public-a", ID: "subnet-0cc33", Took: 65 * s,
			Err: errors.New("DependencyViolation: the subnet is still used by eni-0445566, which is not ours"),
		}),
		at(95, engine.Event{Type: engine.EventSkipped, Key: "network/vpc", ID: "vpc-0aa11", Text: "something that needs it is still there"}),
		at(96, engine.Event{Type: engine.EventFailed, Text: "cannot prove that nothing is left", Err: errors.New("RequestLimitExceeded")}),
	}
}

// play applies the events that happen until then, and sets the clock.
func play(b *board, clock *fakeClock, events []engine.Event, until float64) {
	end := epoch.Add(time.Duration(until * float64(time.Second)))
	for _, ev := range events {
		if !ev.Time.After(end) && ev.Time.After(clock.now) {
			b.apply(ev)
		}
	}
	clock.now = end
}
