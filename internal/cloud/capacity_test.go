package cloud_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// The codes of the vCPU quotas that the standard families share (Service Quotas console).
const (
	quotaSpot     = "L-34B43A08"
	quotaOnDemand = "L-1216C47A"
)

// search is a deploy in an account that lacks something.
type search struct {
	*world
	before []byte
	offers []stack.Offer
}

// inSearch runs a test with a deployment that was planned but not begun, on a market with these settings.
func inSearch(t *testing.T, seed uint64, settings map[string]string, test func(*search)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := seededWorld(t, seed)
		w.settings = settings
		s := &search{world: w, before: w.pretend.Dump()}
		if _, err := w.state(); err != nil {
			t.Fatal(err)
		}
		s.offers = slices.Clone(w.disk.Facts.Offers)
		test(s)
	})
}

func pool(o stack.Offer) sandbox.Pool {
	return sandbox.Pool{Type: o.Type, Zone: o.Zone, Market: o.Market}
}

func (s *search) allow(p sandbox.Pool, room bool) {
	if err := s.pretend.SetCapacity(p, room); err != nil {
		s.t.Fatal(err)
	}
}

// checkLaunched checks that the deploy succeeds with one machine, in the pool of the offer, and that every try before was
// told with its reason.
func (s *search) checkLaunched(o stack.Offer, tries []string) {
	s.t.Helper()
	if err := s.deploy(s.t.Context()); err != nil {
		s.t.Fatalf("%v, although %s has room", err, name(o))
	}
	m, _ := s.disk.Machine()
	if got := fmt.Sprintf("%s %s in %s", m.Attrs[stack.AttrType], m.Attrs[stack.AttrMarket], m.Attrs[stack.AttrZone]); got != name(o) {
		s.t.Errorf("launched %s, want %s", got, name(o))
	}
	if diff := cmp.Diff(tries, s.tries()); diff != "" {
		s.t.Errorf("tries that were told (-want +got):\n%s", diff)
	}
	s.calm()
	s.checkOne()
	s.destroyAgain(s.before)
}

// checkOne checks that there is one machine with all that belongs to it, which records and tags know, and that it works.
func (s *search) checkOne() {
	s.t.Helper()
	have := s.census()
	if have["instance"] != 1 || have["volume"] != 2 || have["network-interface"] != 1+have["mount-target"] || have["spot-request"] > 1 {
		s.t.Errorf("not exactly one machine: %v", s.pretend.Inventory())
	}
	s.checkTags()
	s.checkServices()
}

// checkNoRoom checks that the deploy fails with an error of this kind that lists the tries, and can be rolled back.
func (s *search) checkNoRoom(kind api.Kind, tries []string) {
	s.t.Helper()
	err := s.deploy(s.t.Context())
	if got := api.Classify(err); got != kind {
		s.t.Errorf("%v is of kind %s, want %s", err, got, kind)
	}
	var all *compute.CapacityError
	if !errors.As(err, &all) {
		s.t.Fatalf("%v lists no tries", err)
	}
	var told []string
	for _, try := range all.Tries {
		told = append(told, try.String())
		if _, reason, _ := strings.Cut(try.String(), ": "); !strings.Contains(err.Error(), reason) || !strings.Contains(err.Error(), try.Offer.Type+" in "+try.Offer.Zone) {
			s.t.Errorf("%v does not tell of %v", err, try)
		}
	}
	if diff := cmp.Diff(tries, told); diff != "" {
		s.t.Errorf("tries (-want +got):\n%s", diff)
	}
	if have := s.census(); have["instance"]+have["spot-request"] != 0 {
		s.t.Errorf("something was launched: %v", s.pretend.Inventory())
	}
	s.calm()
	s.checkKnown()
	s.destroyAgain(s.before)
}

func name(o stack.Offer) string { return fmt.Sprintf("%s %s in %s", o.Type, o.Market, o.Zone) }

const (
	noCapacity = "AWS has no free capacity"
	noSpot     = "the spot quota of the account is used up"
	noVCPUs    = "the vCPU quota of its family is used up"
	notSold    = "not offered in this zone"
)

func refused(offers []stack.Offer, reason string) []string {
	var tries []string
	for _, o := range offers {
		tries = append(tries, name(o)+": "+reason)
	}
	return tries
}

// tries are the pools that were told to be refused, each with its reason.
func (s *search) tries() []string {
	var tries []string
	for _, e := range s.events {
		if try, next, ok := strings.Cut(e.Text, "; trying "); ok && e.Key == stack.KeyInstance && e.Type == engine.EventWaiting && next != "" {
			tries = append(tries, try)
		}
	}
	return tries
}

// searchOpen closes all pools but the open ones, and checks that the best of these is found, or that it is told that there
// is none.
func (s *search) searchOpen(open func(i int) bool) {
	s.allow(sandbox.Pool{}, false)
	best := -1
	for i, o := range s.offers {
		if open(i) {
			s.allow(pool(o), true)
			if best < 0 {
				best = i
			}
		}
	}
	if best < 0 {
		s.checkNoRoom(api.KindCapacity, refused(s.offers, noCapacity))
		return
	}
	s.checkLaunched(s.offers[best], refused(s.offers[:best], noCapacity))
}

// TestEmptyPools lets every set of pools be empty where they are few, each pool in turn be the only one with room, and random
// sets of many.
func TestEmptyPools(t *testing.T) {
	few, every, cases := 5, 1, 0 // one a zone that sells the type
	if testing.Short() {
		every = 7 // the race detector makes each life many times as long
	}
	for _, market := range []string{stack.MarketSpot, stack.MarketOnDemand} {
		for set := 0; set < 1<<few; set += every {
			cases++
			t.Run(fmt.Sprintf("%s/%0*b", market, few, set), func(t *testing.T) {
				inSearch(t, uint64(set), map[string]string{"instance_type": "m7i.large", "market": market}, func(s *search) {
					if len(s.offers) != few {
						s.t.Fatalf("%d offers, want %d", len(s.offers), few)
					}
					s.searchOpen(func(i int) bool { return set>>(few-1-i)&1 == 1 })
				})
			})
		}
	}
	many, _ := sizes(t)
	for only := 0; only < many; only += every {
		cases++
		t.Run(fmt.Sprintf("only/%d", only), func(t *testing.T) {
			inSearch(t, uint64(only), nil, func(s *search) { s.searchOpen(func(i int) bool { return i == only }) })
		})
	}
	for seed := 0; seed < 24; seed += every {
		cases++
		t.Run(fmt.Sprintf("some/%d", seed), func(t *testing.T) {
			inSearch(t, uint64(seed), nil, func(s *search) {
				dice := rand.New(rand.NewPCG(uint64(seed), 0))
				share := dice.Float64() / 4
				s.searchOpen(func(int) bool { return dice.Float64() < share })
			})
		})
	}
	t.Logf("%d sets of empty pools, among %d pools", cases, many)
}

// sizes returns how many offers a plan has when nobody names a type, and how many calls its launch takes while EC2 does not
// know all that it needs.
func sizes(t *testing.T) (offers, launches int) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		w.onEach = func(c sandbox.Call) {
			if c.Operation == "RunInstances" {
				launches++
			}
		}
		if err := w.deploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		offers = len(w.disk.Facts.Offers)
	})
	if offers < 20 || launches < 2 {
		t.Fatalf("%d offers, %d calls of a launch", offers, launches)
	}
	return offers, launches
}

// TestQuotas takes away the vCPUs of one market or of both, where the account tells so before the plan and where only the
// launch does.
func TestQuotas(t *testing.T) {
	for _, market := range []string{stack.MarketSpotFirst, stack.MarketSpot, stack.MarketOnDemand} {
		for _, without := range [][]string{{quotaSpot}, {quotaOnDemand}, {quotaSpot, quotaOnDemand}} {
			t.Run(fmt.Sprintf("%s/%v/late", market, without), func(t *testing.T) {
				inSearch(t, 1, map[string]string{"market": market}, func(s *search) {
					s.limit(without)
					s.searchAllowed(without)
				})
			})
			t.Run(fmt.Sprintf("%s/%v/early", market, without), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(t *testing.T, w *world) {
					s := &search{world: w, before: w.pretend.Dump()}
					s.settings = map[string]string{"market": market}
					s.limit(without)
					_, err := s.state()
					if err == nil {
						s.offers = slices.Clone(s.disk.Facts.Offers)
						s.checkLaunched(s.offers[0], nil)
						return
					}
					allowed := market == stack.MarketSpotFirst && len(without) == 1 || market == stack.MarketSpot && without[0] != quotaSpot ||
						market == stack.MarketOnDemand && !slices.Contains(without, quotaOnDemand)
					if got := api.Classify(err); allowed || got != api.KindQuota {
						t.Errorf("%v, of kind %s; allowed %v", err, got, allowed)
					}
				})
			})
		}
	}
	t.Run("full as well", func(t *testing.T) {
		inSearch(t, 1, nil, func(s *search) {
			s.limit([]string{quotaSpot})
			s.allow(sandbox.Pool{}, false)
			spot, demand := byMarket(s.offers)
			s.checkNoRoom(api.KindCapacity, slices.Concat(refused(spot[:1], noSpot), refused(demand, noCapacity)))
		})
	})
}

func (s *search) limit(codes []string) {
	for _, code := range codes {
		if err := s.pretend.SetQuota(code, 0); err != nil {
			s.t.Fatal(err)
		}
	}
}

func byMarket(offers []stack.Offer) (spot, demand []stack.Offer) {
	for _, o := range offers {
		if o.Market == stack.Spot {
			spot = append(spot, o)
		} else {
			demand = append(demand, o)
		}
	}
	return spot, demand
}

// searchAllowed checks a launch that meets quotas: of the spot market as a whole, of each type on demand.
func (s *search) searchAllowed(without []string) {
	spot, demand := byMarket(s.offers)
	var tries []string
	switch {
	case len(spot) == 0:
	case !slices.Contains(without, quotaSpot):
		s.checkLaunched(spot[0], nil)
		return
	default:
		tries = refused(spot[:1], noSpot)
	}
	if len(demand) > 0 && !slices.Contains(without, quotaOnDemand) {
		s.checkLaunched(demand[0], tries)
		return
	}
	asked := map[string]bool{}
	for _, o := range demand {
		if !asked[o.Type] {
			asked[o.Type] = true
			tries = append(tries, name(o)+": "+noVCPUs)
		}
	}
	s.checkNoRoom(api.KindQuota, tries)
}

// TestTypeNotSold lets the plan hold a pool that does not exist any more.
func TestTypeNotSold(t *testing.T) {
	inSearch(t, 1, nil, func(s *search) {
		ghost := s.offers[0]
		ghost.Type, ghost.Market = s.notSoldIn(ghost.Zone), stack.MarketOnDemand
		s.disk.Facts.Offers = slices.Concat([]stack.Offer{ghost}, s.offers)
		s.checkLaunched(s.offers[0], refused([]stack.Offer{ghost}, notSold))
	})
}

// notSoldIn is a type for the image of the plan that a zone does not have.
func (s *search) notSoldIn(zone string) string {
	client := ec2.NewFromConfig(s.pretend.Config(region))
	sold, err := client.DescribeInstanceTypeOfferings(s.t.Context(), &ec2.DescribeInstanceTypeOfferingsInput{
		LocationType: types.LocationTypeAvailabilityZone, Filters: []types.Filter{{Name: new("location"), Values: []string{zone}}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	all, err := client.DescribeInstanceTypes(s.t.Context(), &ec2.DescribeInstanceTypesInput{
		Filters: []types.Filter{{Name: new("processor-info.supported-architecture"), Values: []string{s.disk.Facts.Image.Architecture}}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, one := range all.InstanceTypes {
		if !slices.ContainsFunc(sold.InstanceTypeOfferings, func(o types.InstanceTypeOffering) bool { return o.InstanceType == one.InstanceType }) {
			return string(one.InstanceType)
		}
	}
	s.t.Fatalf("%s sells everything", zone)
	return ""
}

// TestMachineVanishes lets launches be accepted and end in nothing. Another pool is taken each time, nothing is left of what
// vanished, and when it never ends the error is one of capacity.
func TestMachineVanishes(t *testing.T) {
	for _, market := range []string{stack.MarketSpotFirst, stack.MarketOnDemand} {
		for _, times := range []int{1, 2, forEver} {
			t.Run(fmt.Sprintf("%s/%d", market, times), func(t *testing.T) {
				inSearch(t, uint64(times), map[string]string{"market": market}, func(s *search) {
					s.add(sandbox.Fault{Service: sandbox.ServiceMachine, Operation: "launch", Effect: sandbox.EffectVanish, Count: times})
					if times != forEver {
						s.checkLaunched(s.offers[times], nil)
						return
					}
					err := s.deploy(s.t.Context())
					if got := api.Classify(err); got != api.KindCapacity || !strings.Contains(err.Error(), "insufficient capacity") {
						s.t.Errorf("%v is of kind %s", err, got)
					}
					s.calm()
					s.checkKnown()
					s.destroyAgain(s.before)
				})
			})
		}
	}
}

// TestUnknownLaunch loses, of all the calls that a launch takes, each one in turn, or from there on some or all, in the first
// pool or when others were found empty before, with describes that fail for a while as well. A token counts in one zone only,
// so a launch whose fate is not known must be looked for before another pool is tried: there is never a second machine.
func TestUnknownLaunch(t *testing.T) {
	_, launches := sizes(t)
	every, cases := 1, 0
	if testing.Short() {
		every = 5
	}
	for skip := 0; skip <= launches; skip += every {
		for _, empty := range []int{0, 3} {
			cases += 7
			for _, count := range []int{1, 3, forEver} {
				for _, blind := range []int{0, 4} {
					t.Run(fmt.Sprintf("reply %d of %d/after %d/blind %d", skip, count, empty, blind), func(t *testing.T) {
						inSearch(t, uint64(skip), nil, func(s *search) {
							s.checkUnknown(sandbox.Fault{Effect: sandbox.EffectLoseReply, Skip: skip, Count: count}, empty, blind)
						})
					})
				}
			}
			t.Run(fmt.Sprintf("request %d/after %d", skip, empty), func(t *testing.T) {
				inSearch(t, uint64(skip), nil, func(s *search) {
					s.checkUnknown(sandbox.Fault{Effect: sandbox.EffectLoseRequest, Skip: skip, Count: 3}, empty, 0)
				})
			})
		}
	}
	t.Logf("%d launches whose outcome was unknown", cases)
}

// checkUnknown checks that a launch whose answers are lost ends in one machine, in the best pool that has room. Where that
// cannot be found out, since machines cannot be looked at for longer than calls are repeated, or since no pool's refusal ever
// gets through, the deploy ends in an error, and the next one in one machine all the same.
func (s *search) checkUnknown(lost sandbox.Fault, empty, blind int) {
	for _, o := range s.offers[:empty] {
		s.allow(pool(o), false)
	}
	lost.Service, lost.Operation = "EC2", "RunInstances"
	s.add(lost)
	if blind > 0 {
		s.add(sandbox.Fault{Service: "EC2", Operation: "DescribeInstances", Effect: sandbox.EffectError, Code: "InternalError", Count: blind})
	}
	err := s.deploy(s.t.Context())
	s.calm()
	s.checkKnown()
	if err != nil {
		if deaf := lost.Count == forEver && empty > 0; blind == 0 && !deaf {
			s.t.Errorf("%v, although %s has room", err, name(s.offers[empty]))
		}
		s.begin(0, "")
		err = s.deploy(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if m, _ := s.disk.Machine(); m.Attrs[stack.AttrType] != s.offers[empty].Type {
		s.t.Errorf("launched %v, want %s", m.Attrs, name(s.offers[empty]))
	}
	s.checkOne()
	s.destroyAgain(s.before)
}

// TestResumeKeepsThePlan fails a launch for a reason that has nothing to do with pools. The next deploy launches what the plan
// said and priced.
func TestResumeKeepsThePlan(t *testing.T) {
	inSearch(t, 1, nil, func(s *search) {
		s.add(sandbox.Fault{Service: "EC2", Operation: "RunInstances", Effect: sandbox.EffectError, Code: "UnauthorizedOperation"})
		if err := s.deploy(s.t.Context()); api.Classify(err) != api.KindPermission {
			s.t.Fatal(err)
		}
		s.calm()
		s.begin(0, "")
		s.checkLaunched(s.offers[0], nil)
	})
}
