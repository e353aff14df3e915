package cloud_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// operation is one operation of AWS.
type operation struct{ service, name string }

func (o operation) String() string { return o.service + " " + o.name }

// asks reports that the operation changes nothing.
func (o operation) asks() bool {
	return strings.HasPrefix(o.name, "Describe") || strings.HasPrefix(o.name, "Get") || strings.HasPrefix(o.name, "List")
}

// dialect is how a service says what goes wrong (EC2 API reference, "Error codes"; the models of the others).
type dialect struct{ throttled, broken, denied string }

var dialects = map[string]dialect{
	"EC2":            {"RequestLimitExceeded", "InternalError", "UnauthorizedOperation"},
	"EFS":            {"ThrottlingException", "InternalServerError", "AccessDeniedException"},
	"IAM":            {"Throttling", "ServiceFailure", "AccessDenied"},
	"SSM":            {"ThrottlingException", "InternalServerError", "AccessDeniedException"},
	"STS":            {"Throttling", "InternalFailure", "AccessDenied"},
	"Pricing":        {"ThrottlingException", "InternalErrorException", "AccessDeniedException"},
	"Service Quotas": {"TooManyRequestsException", "ServiceException", "AccessDeniedException"},
}

// unknown is the code by which a read says that it does not know a resource, or "" when it only leaves it out.
func (o operation) unknown() string {
	switch o.service + " " + strings.TrimRight(o.name, "s") {
	case "EC2 DescribeVpc":
		return "InvalidVpcID.NotFound"
	case "EC2 DescribeSubnet":
		return "InvalidSubnetID.NotFound"
	case "EC2 DescribeInternetGateway":
		return "InvalidInternetGatewayID.NotFound"
	case "EC2 DescribeRouteTable":
		return "InvalidRouteTableID.NotFound"
	case "EC2 DescribeSecurityGroup":
		return "InvalidGroup.NotFound"
	case "EC2 DescribeVpcEndpoint":
		return "InvalidVpcEndpointId.NotFound"
	case "EC2 DescribeInstance":
		return "InvalidInstanceID.NotFound"
	case "EC2 DescribeVolume":
		return "InvalidVolume.NotFound"
	case "EFS DescribeFileSystem":
		return "FileSystemNotFound"
	case "EFS DescribeMountTarget":
		return "MountTargetNotFound"
	case "IAM GetRole", "IAM GetRolePolicy", "IAM GetInstanceProfile":
		return "NoSuchEntity"
	}
	return ""
}

// trouble is one way in which an operation can go wrong.
type trouble struct {
	name   string
	fault  func(operation) sandbox.Fault
	passes bool     // by itself: nobody need hear of it
	total  bool     // from the first call of the operation on, every call of any operation fails
	blind  bool     // from the first call of the operation on, nothing can be looked at
	kind   api.Kind // of the error that tells of it; "" when it is one of several
}

const forEver = 0

func answers(count int, code func(dialect) string, status int) func(operation) sandbox.Fault {
	return func(o operation) sandbox.Fault {
		return sandbox.Fault{Effect: sandbox.EffectError, Code: code(dialects[o.service]), HTTPStatus: status, Count: count}
	}
}

func loses(effect string, count int) func(operation) sandbox.Fault {
	return func(operation) sandbox.Fault { return sandbox.Fault{Effect: effect, Count: count} }
}

func forgets(skip, count int) func(operation) sandbox.Fault {
	return func(o operation) sandbox.Fault {
		return sandbox.Fault{Effect: sandbox.EffectError, Code: o.unknown(), Skip: skip, Count: count}
	}
}

func throttled(d dialect) string { return d.throttled }
func broken(d dialect) string    { return d.broken }
func denied(d dialect) string    { return d.denied }
func expired(dialect) string     { return "ExpiredToken" }

var troubles = []trouble{
	{name: "throttled twice", fault: answers(2, throttled, 0), passes: true},
	{name: "throttled for ever", fault: answers(forEver, throttled, 0), kind: api.KindThrottled},
	{name: "broken once", fault: answers(1, broken, 500), passes: true},
	{name: "broken for ever", fault: answers(forEver, broken, 500), kind: api.KindOther},
	{name: "request lost once", fault: loses(sandbox.EffectLoseRequest, 1), passes: true},
	{name: "request lost for ever", fault: loses(sandbox.EffectLoseRequest, forEver), kind: api.KindNetwork},
	{name: "reply lost once", fault: loses(sandbox.EffectLoseReply, 1), passes: true},
	{name: "reply lost for ever", fault: loses(sandbox.EffectLoseReply, forEver), kind: api.KindNetwork},
	{name: "timed out once", fault: loses(sandbox.EffectTimeOut, 1), passes: true},
	{name: "timed out for ever", fault: loses(sandbox.EffectTimeOut, forEver), kind: api.KindNetwork},
	{name: "reply lost, then blind", fault: loses(sandbox.EffectLoseReply, 1), blind: true},
	{name: "unknown at first", fault: forgets(0, 3), passes: true, kind: api.KindNotFound},
	{name: "flaps", fault: forgets(1, 1), passes: true, kind: api.KindNotFound},
	{name: "denied", fault: answers(forEver, denied, 0), kind: api.KindPermission},
	{name: "expired", fault: answers(forEver, expired, 0), total: true, kind: api.KindCredentials},
}

// of is the fault that gives the operation the trouble.
func (tr trouble) of(o operation) sandbox.Fault {
	f := tr.fault(o)
	f.Service, f.Operation = o.service, o.name
	return f
}

// befalls reports whether the operation can have the trouble.
func (tr trouble) befalls(o operation) bool {
	return tr.of(o).Validate() == nil && !(tr.blind && o.asks())
}

// stage is a part of a life.
type stage struct {
	name       string
	operations []operation
}

// stages lists the operations that each part of a life makes, from a recorded life.
func stages(t *testing.T) (all []stage, deployed map[string]int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var mu sync.Mutex
		seen := map[operation]bool{}
		w.onEach = func(c sandbox.Call) {
			mu.Lock()
			defer mu.Unlock()
			seen[operation{c.Service, c.Operation}] = true
		}
		end := func(name string, err error) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			operations := slices.SortedFunc(maps.Keys(seen), func(a, b operation) int { return strings.Compare(a.String(), b.String()) })
			all = append(all, stage{name, operations})
			clear(seen)
		}
		_, err := w.state()
		end("facts", err)
		end("apply", w.deploy(t.Context()))
		deployed = w.census()
		_, err = w.destroy(t.Context())
		end("destroy", err)
	})
	return all, deployed
}

// upset lets the operation go wrong from now on.
func (w *world) upset(o operation, tr trouble) {
	fault := tr.of(o)
	var then []sandbox.Fault
	if tr.total {
		fault.Service, fault.Operation = "*", "*"
		then = []sandbox.Fault{fault}
	} else {
		w.add(fault)
	}
	if tr.blind {
		for _, reads := range []string{"Describe*", "Get*", "List*"} {
			then = append(then, sandbox.Fault{Service: "*", Operation: reads, Effect: sandbox.EffectError, Code: "Throttling"})
		}
	}
	var once sync.Once
	w.onEach = func(c sandbox.Call) {
		if c.Service == o.service && c.Operation == o.name {
			once.Do(func() { w.add(then...) })
		}
	}
}

func (w *world) add(faults ...sandbox.Fault) {
	for _, f := range faults {
		if err := w.pretend.AddFault(f); err != nil {
			w.t.Error(err)
		}
	}
}

// calm lets everything work again, and waits until everybody sees what there is: new things are seen after 3 s, and
// network interfaces outlive what they belong to by 10 s.
func (w *world) calm() {
	w.onEach = nil
	if err := w.pretend.ClearFaults(); err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(15 * time.Second)
}

// TestTrouble lets every operation that a life makes go wrong in every way, one at a time. Trouble that passes is not
// heard of. Any other ends in success all the same, or in an error that names what failed, while records and a scan by tag
// together know everything that exists and claim nothing that does not; then a roll-back, with the trouble still there or
// after it, leaves the account as it was, and so does going on with the deploy, which ends with exactly one of each.
func TestTrouble(t *testing.T) {
	all, deployed := stages(t)
	every := 1
	if testing.Short() {
		every = 11 // the race detector makes each life many times as long
	}
	var cases, survived, told atomic.Int64
	t.Run("cases", func(t *testing.T) {
		n := 0
		for _, s := range all {
			for _, o := range s.operations {
				for _, tr := range troubles {
					if n++; !tr.befalls(o) || n%every != 0 {
						continue
					}
					then := aftermaths[n%len(aftermaths)]
					t.Run(s.name+"/"+o.String()+"/"+tr.name, func(t *testing.T) {
						t.Parallel()
						cases.Add(1)
						if troubled(t, s, o, tr, then, deployed) {
							survived.Add(1)
						} else {
							told.Add(1)
						}
					})
				}
			}
		}
	})
	operations := 0
	for _, s := range all {
		operations += len(s.operations)
	}
	t.Logf("%d cases over %d operations of %d stages: %d ended in success, %d in an error and its clean-up",
		cases.Load(), operations, len(all), survived.Load(), told.Load())
}

// aftermath is what is done after a deploy that failed.
type aftermath struct{ rollBack, deploy bool }

var aftermaths = []aftermath{{rollBack: true}, {deploy: true}, {rollBack: true, deploy: true}}

// troubled runs one case, and reports whether the operation succeeded all the same. Each case has a seed of its own.
func troubled(t *testing.T, s stage, o operation, tr trouble, then aftermath, deployed map[string]int) (success bool) {
	hash := fnv.New32a()
	hash.Write([]byte(t.Name()))
	seed := uint64(hash.Sum32() % 1000)
	synctest.Test(t, func(t *testing.T) {
		w := seededWorld(t, seed)
		before := w.pretend.Dump()
		if s.name == "destroy" {
			success = w.troubledDestroy(before, o, tr)
			return
		}
		success = w.troubledDeploy(s, o, tr)
		if !success && then.rollBack {
			w.upset(o, tr)
			w.removed(before, o, tr)
		}
		if !success && then.deploy {
			w.begin(0, "")
			if err := w.deploy(t.Context()); err != nil {
				t.Fatalf("deploy again: %v", err)
			}
		}
		if success || then.deploy {
			w.checkWhole(deployed)
		}
		w.destroyAgain(before)
	})
	return success
}

// troubledDeploy deploys while the operation goes wrong, and reports whether that succeeded.
func (w *world) troubledDeploy(s stage, o operation, tr trouble) bool {
	if s.name == "apply" {
		if _, err := w.state(); err != nil {
			w.t.Fatal(err)
		}
	}
	w.begin(0, "")
	w.upset(o, tr)
	err := w.deploy(w.t.Context())
	w.calm()
	if err != nil {
		w.checkTold(err, o, tr, false)
	}
	w.checkKnown()
	return err == nil
}

// troubledDestroy destroys a deployment while the operation goes wrong and again without, and reports whether the first did
// it.
func (w *world) troubledDestroy(before []byte, o operation, tr trouble) bool {
	if err := w.deploy(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(time.Minute)
	w.upset(o, tr)
	success := w.removed(before, o, tr)
	w.destroyAgain(before)
	return success
}

// removed destroys while the operation goes wrong, and reports whether all is gone.
func (w *world) removed(before []byte, o operation, tr trouble) bool {
	w.begin(0, "")
	out, err := w.destroy(w.t.Context())
	if err == nil {
		w.checkGone(before, out.Proven)
	} else {
		w.checkTold(err, o, tr, tr.kind == api.KindNotFound)
	}
	w.calm()
	holds := w.checkKnown()
	for _, rec := range out.Deleted {
		if holds(rec) {
			w.t.Errorf("%s %s is said to be deleted, and exists", rec.Key, rec.ID)
		}
	}
	return err == nil
}

func (w *world) checkGone(before []byte, proven bool) {
	if !proven {
		w.t.Error("a destroy without an error proves nothing")
	}
	if diff := cmp.Diff(string(before), string(w.pretend.Dump())); diff != "" {
		w.t.Errorf("a destroy said that all is gone (-before +after):\n%s", diff)
	}
}

// ownWords are the kinds of errors of which people are told in words that were written for them.
var ownWords = []api.Kind{api.KindThrottled, api.KindPermission, api.KindOther}

// checkTold checks that trouble which does not pass, and no other, ends in an error that says what it was and names the
// resource or the operation. A destroy is excused where reads called something unknown and then found it after all: it ends in
// an error then, and proves nothing.
func (w *world) checkTold(err error, o operation, tr trouble, excused bool) {
	if tr.passes && !excused {
		w.t.Errorf("trouble that passes ended in %v", err)
	}
	if got := api.Classify(err); tr.kind != "" && got != tr.kind {
		w.t.Errorf("%v is of kind %s, want %s", err, got, tr.kind)
	}
	if words, _ := api.Explain(err); w.disk == nil && slices.Contains(ownWords, tr.kind) && !strings.Contains(words, o.name) {
		w.t.Errorf("%q does not name %s", words, o)
	}
	failed, _ := errors.AsType[*smithy.OperationError](err)
	named := strings.Contains(err.Error(), o.name) || tr.total && failed != nil
	if w.disk != nil {
		for key := range w.disk.Records {
			named = named || strings.Contains(err.Error(), string(key))
		}
	}
	if !named {
		w.t.Errorf("%v names neither the operation nor a resource", err)
	}
}

// checkWhole checks that there is exactly one of each, known by record and by tag, and that the services answer.
func (w *world) checkWhole(deployed map[string]int) {
	now, want := w.census(), maps.Clone(deployed)
	delete(now, "spot-request") // the market depends on prices that may not have been known
	delete(want, "spot-request")
	if diff := cmp.Diff(want, now); diff != "" {
		w.t.Errorf("not exactly one of each (-one +now):\n%s\n%v", diff, w.pretend.Inventory())
	}
	for _, rec := range w.disk.Sorted() {
		if rec.Status != stack.StatusReady {
			w.t.Errorf("%s is %s", rec.Key, rec.Status)
		}
	}
	w.checkTags()
	w.checkServices()
}

// checkKnown checks that everything in the account that was not there from the start is in the records or found by a scan,
// that what is recorded as ready exists, and that what was told to be deleted does not. It returns how to ask the account.
func (w *world) checkKnown() (holds func(stack.Record) bool) {
	var records []stack.Record
	if w.disk != nil {
		found, err := w.engine().Scan(w.t.Context(), w.disk.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		records = append(w.disk.Sorted(), found...)
	}
	inventory, dump := w.pretend.Inventory(), string(w.pretend.Dump())
	for kind, lines := range inventory {
		for _, line := range lines {
			if !slices.ContainsFunc(records, func(r stack.Record) bool { return r.ID != "" && covers(r, kind, line) }) {
				w.t.Errorf("nobody knows of %s %s", kind, line)
			}
		}
	}
	holds = func(r stack.Record) bool {
		if r.Kind == stack.KindRolePolicy { // which the inventory leaves out
			_, name, _ := strings.Cut(r.ID, "/")
			return strings.Contains(dump, strconv.Quote(name)+": ")
		}
		return r.ID != "" && slices.ContainsFunc(inventory[string(r.Kind)], func(line string) bool { return idIn(line) == r.ID })
	}
	for _, rec := range records {
		if rec.Status == stack.StatusReady && !holds(rec) {
			w.t.Errorf("%s %s is said to be ready, and does not exist", rec.Key, rec.ID)
		}
	}
	for _, e := range w.events {
		if e.Type == engine.EventDeleted && holds(stack.Record{Kind: e.Kind, ID: e.ID}) {
			w.t.Errorf("%s %s was told to be deleted, and exists", e.Key, e.ID)
		}
	}
	return holds
}

// covers reports whether a line of the inventory is the resource of a record, or comes and goes with it: the interface of a
// machine or mount target names its owner, a spot request its machine, and the root volume the machine's deployment.
func covers(r stack.Record, kind, line string) bool {
	switch {
	case kind == string(r.Kind):
		return idIn(line) == r.ID
	case kind == "network-interface" || kind == "spot-request":
		return slices.Contains(strings.Fields(line), r.ID)
	case kind == "volume":
		return r.Kind == stack.KindInstance && strings.HasSuffix(line, "-root)")
	}
	return false
}

// idIn is the ID in a line of the inventory.
func idIn(line string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(line, region+" "), " ")
	return id
}

// What carries our tags and stands in the way of the rest is found and removed even though nobody recorded it.
func TestStrayInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		before := w.pretend.Dump()
		if err := w.deploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		delete(w.disk.Records, stack.KeyFilesGroup)
		w.destroyAgain(before)
	})
}

// TestLag takes deployments through their life in accounts that each show new things late, and miss them once more, in
// their own way.
func TestLag(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 3
	}
	_, deployed := stages(t)
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := seededWorld(t, uint64(seed))
				before := w.pretend.Dump()
				if err := w.deploy(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.checkWhole(deployed)
				w.destroyAgain(before)
			})
		})
	}
}
