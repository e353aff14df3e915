package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// devWorld has the graph of a dev deployment, its configuration and its facts.
func devWorld(t *testing.T) (*world, *stack.State, stack.Cost) {
	t.Helper()
	const cent = stack.Dollar / 100
	facts := stack.Facts{
		Account: identity.Account, Partition: "aws", Region: identity.Region, Zones: []string{"eu-central-1b", "eu-central-1a"},
		VPCCIDR: "10.20.0.0/16", CallerCIDR: "203.0.113.7/32", Image: stack.Image{ID: "ami-0123456789abcdef0", RootGiB: 8},
		Offers: []stack.Offer{{Type: "m7i.large", Zone: "eu-central-1b", Market: stack.Spot, Hourly: 4 * cent, OnDemand: 12 * cent}},
		Prices: map[string]stack.Price{stack.PriceGP3Storage: {Amount: 10 * cent}, stack.PriceEFSStorage: {Amount: 36 * cent}},
	}
	c := stack.NewConfig()
	c.Name, c.Region = identity.Name, identity.Region
	g, err := stack.Blueprint(identity, c, facts)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, g.Nodes...)
	s := w.state()
	s.Config, s.Facts = c, facts
	return w, s, stack.Estimate(g, facts)
}

func TestPlans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s, cost := devWorld(t)
		fresh := engine.PlanApply(w.graph, *s, cost)
		golden(t, "fresh.plan", fresh.String())
		var hourly stack.Money
		for _, step := range fresh.Steps {
			hourly += step.Hourly
		}
		if hourly != cost.Hourly || hourly == 0 {
			t.Errorf("the steps cost %s an hour, the whole %s", hourly, cost.Hourly)
		}
		for _, step := range fresh.Steps {
			if step.Key == stack.KeyRoutes {
				routes := stack.Step{NeedsID: []stack.Key{stack.KeyVPC, "network/public-a", "network/public-b"}, NeedsLate: []stack.Key{stack.KeyGateway, "network/public-a", "network/public-b"}}
				if diff := cmp.Diff(routes, stack.Step{NeedsID: step.NeedsID, NeedsLate: step.NeedsLate}); diff != "" {
					t.Errorf("what the routes need only late, or only the ID of (-want +got):\n%s", diff)
				}
			}
		}
		if empty, err := engine.PlanDestroy(*s, engine.Removal{}); err != nil || empty.Changes() || empty.Steps == nil {
			t.Errorf("destroy of nothing: %+v, %v", empty, err)
		}

		if _, err := w.engine().Apply(t.Context(), w.graph, s); err != nil {
			t.Fatal(err)
		}
		kept := engine.PlanApply(w.graph, *s, cost)
		golden(t, "kept.plan", kept.String())
		if kept.Changes() {
			t.Error("a plan that keeps everything changes something")
		}
		destroy, err := engine.PlanDestroy(*s, engine.Removal{})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "destroy.plan", destroy.String())
		hourly = 0
		for _, step := range destroy.Steps {
			hourly += step.Hourly
		}
		if hourly != cost.Hourly {
			t.Errorf("what is deleted costs %s an hour, what was made %s", hourly, cost.Hourly)
		}
		keepData, err := engine.PlanDestroy(*s, engine.Removal{KeepData: true})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "destroy-keep-data.plan", keepData.String())
	})
}

// A deploy that was cut off: some parts are ready, some have an ID, of some only the intent is known.
func TestPlansOfAResumedDeploy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s, cost := devWorld(t)
		for i := range w.graph.Nodes {
			if w.graph.Nodes[i].Key == stack.KeyVPC {
				w.graph.Nodes[i].Adopt = "vpc-of-the-user"
			}
		}
		begun := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		for _, rec := range []stack.Record{
			{Key: stack.KeyFiles, Kind: stack.KindFileSystem, ID: "fs-1", Owned: true, Status: stack.StatusReady},
			{Key: stack.KeyRole, Kind: stack.KindRole, ID: "role-1", Owned: true, Status: stack.StatusCreated, BegunAt: begun},
			{Key: stack.KeyPolicy, Kind: stack.KindRolePolicy, Owned: true, Status: stack.StatusPending, BegunAt: begun, Needs: []stack.Key{stack.KeyRole, stack.KeyFiles}},
		} {
			s.Records[rec.Key] = rec
		}
		golden(t, "resumed.plan", engine.PlanApply(w.graph, *s, cost).String())
		s.Records[stack.KeyVPC] = stack.Record{Key: stack.KeyVPC, Kind: stack.KindVPC, ID: "vpc-of-the-user", Status: stack.StatusReady}
		if step := engine.PlanApply(w.graph, *s, cost).Steps[0]; step.Action != stack.ActionKeep {
			t.Errorf("an adopted resource is planned as %+v", step)
		}
		destroy, err := engine.PlanDestroy(*s, engine.Removal{KeepData: true})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "destroy-resumed.plan", destroy.String())
	})
}
