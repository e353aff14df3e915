package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// lister is a driver that only lists.
type lister struct {
	engine.Driver
	found []engine.Found
	err   error
}

func (l lister) List(_ context.Context, stackID string) ([]engine.Found, error) {
	var all []engine.Found
	for _, f := range l.found {
		if stackID == "" || f.Stack == stackID {
			all = append(all, f)
		}
	}
	return all, l.err
}

// Delete fails the test that reaches it.
func (l lister) Delete(context.Context, engine.Target) error {
	return errors.New("a resource of another deployment was deleted")
}

func seen(owner, name string, key stack.Key, id string) engine.Found {
	return engine.Found{ID: id, Stack: owner, Name: name, Tier: "dev", Key: key, Since: time.Unix(0, 0)}
}

func TestASurveySortsByDeployment(t *testing.T) {
	e := engine.Engine{Drivers: map[stack.Kind]engine.Driver{
		plain: lister{found: []engine.Found{seen("1", "b", "n/a", "x1"), seen("2", "a", "n/a", "x2"), seen("", "", "n/a", "x3"), seen("1", "b", "n/a", "x4")}},
		data:  lister{found: []engine.Found{seen("1", "b", "n/a/root", "v1"), {ID: "v2", Stack: "3"}}},
	}}
	traces, err := e.Survey(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, tr := range traces {
		line := fmt.Sprintf("%s %s %s:", tr.ID, tr.Name, tr.Tier)
		for _, r := range tr.Sorted() {
			line += fmt.Sprintf(" %s=%s[%s]", r.Key, r.ID, r.Kind)
		}
		text = append(text, line)
	}
	want := "3  : #v2=v2[volume]\n2 a dev: n/a=x2[plain]\n1 b dev: n/a=x1[plain] n/a#x4=x4[plain]"
	if got := strings.Join(text, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if one, err := e.Survey(t.Context(), "2"); err != nil || len(one) != 1 || one[0].ID != "2" {
		t.Errorf("of one deployment: %v, %v", one, err)
	}
}

func TestASurveyThatIsNotCompleteSaysSo(t *testing.T) {
	e := engine.Engine{Drivers: map[stack.Kind]engine.Driver{plain: lister{err: errors.New("denied")}, data: lister{}}}
	if _, err := e.Survey(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "plain: denied") {
		t.Errorf("the error is %v", err)
	}
}

// A scan without an ID shows what all deployments have: none of it may be removed.
func TestADeploymentWithoutAnIDProvesNothing(t *testing.T) {
	e := engine.Engine{
		Drivers: map[stack.Kind]engine.Driver{plain: lister{found: []engine.Found{seen("1", "b", "n/a", "x1")}}},
		Save:    func(stack.State) error { return nil }, Clock: engine.Wall{},
	}
	out, err := e.Destroy(t.Context(), &stack.State{Records: map[stack.Key]stack.Record{}}, engine.Removal{})
	if err == nil || out.Proven || !strings.Contains(err.Error(), "has no ID") {
		t.Errorf("proven %v, %v", out.Proven, err)
	}
}
