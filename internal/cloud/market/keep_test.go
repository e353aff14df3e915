package market_test

import (
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/host"
	"geusemaker/internal/stack"
)

// AWS publishes a newer image under the same parameter every few weeks. A deployment that exists keeps its own.
func TestADeploymentKeepsItsImage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pretend, err := sandbox.Open(sandbox.Options{Speed: 1, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		account, err := cloud.Open(t.Context(), cloud.Options{Region: "us-east-1", Sandbox: pretend, UserData: host.UserData})
		if err != nil {
			t.Fatal(err)
		}
		c := stack.NewConfig()
		c.Name, c.Region = "keeps", "us-east-1"
		facts, err := account.Facts(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		s := stack.State{
			Version: stack.StateVersion, Config: c, Facts: facts, Records: map[stack.Key]stack.Record{}, CreatedAt: time.Now(),
			Identity: stack.Identity{ID: "abcdefghjkmn", Name: c.Name, Account: facts.Account, Region: c.Region, Tier: c.Tier},
		}
		plan := func() (stack.Graph, stack.Plan) {
			g, err := stack.Blueprint(s.Identity, s.Config, s.Facts)
			if err != nil {
				t.Fatal(err)
			}
			return g, engine.PlanApply(g, s, s.Cost(time.Now()))
		}
		g, _ := plan()
		e := engine.Engine{Drivers: account.Drivers(), Save: func(stack.State) error { return nil }, Clock: account.Clock(), Version: "test"}
		if _, err := e.Apply(t.Context(), g, &s); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * 24 * time.Hour)
		later, err := account.Facts(t.Context(), c)
		if err != nil || later.Image.ID == facts.Image.ID {
			t.Fatalf("the newest image is still %s (%v)", later.Image.ID, err)
		}
		if _, p := plan(); p.Changes() {
			t.Errorf("a second deploy would do this:\n%s", p)
		}
		if s.Facts.Image.ID != facts.Image.ID {
			t.Errorf("the deployment's image became %s", s.Facts.Image.ID)
		}
	})
}
