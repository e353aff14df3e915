package opinion

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// behaviour is something that AWS does.
type behaviour struct {
	name   string // what happens, as a sentence
	source string // the document of AWS that says so
	aws    string // what AWS answers, and so must the sandbox
	moto   string // what moto answers, where that differs
	why    string // why AWS's document decides, where moto differs
	see    func(u *user) string
}

// chapter is the behaviours of one part of AWS.
type chapter struct {
	title      string
	behaviours []behaviour
}

func chapters() []chapter {
	return []chapter{
		{"Networks", networks()},
		{"Routes and gateways", routes()},
		{"Endpoints", endpoints()},
		{"Security groups", groups()},
		{"Prefix lists", prefixLists()},
		{"Tags", tags()},
		{"Filters and pages", filters()},
		{"Launches", launches()},
		{"Machines", machines()},
		{"Volumes", volumes()},
		{"Key pairs", keyPairs()},
		{"File systems", fileSystems()},
		{"Roles and profiles", roles()},
		{"Parameters", parameters()},
		{"Commands", commands()},
	}
}

// TestBehaviours asks the sandbox, and moto where one is to be had.
func TestBehaviours(t *testing.T) {
	moto := os.Getenv("GEUSEMAKER_MOTO")
	for _, c := range chapters() {
		for _, b := range c.behaviours {
			t.Run("sandbox/"+b.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { b.expect(t, sandboxUser(t), b.aws) })
			})
			if moto != "" {
				t.Run("moto/"+b.name, func(t *testing.T) { b.expect(t, motoUser(t, moto), b.fromMoto()) })
			}
		}
	}
}

func (b behaviour) expect(t *testing.T, u *user, want string) {
	t.Helper()
	if got := b.see(u); got != want {
		t.Errorf("answered %q, want %q (%s)", got, want, b.source)
	}
}

func (b behaviour) differs() bool { return b.moto != "" }

func (b behaviour) fromMoto() string {
	if b.differs() {
		return b.moto
	}
	return b.aws
}

// TestListIsSound holds the list to its own rules.
func TestListIsSound(t *testing.T) {
	var names []string
	for _, c := range chapters() {
		for _, b := range c.behaviours {
			if b.source == "" || b.aws == "" || b.differs() != (b.why != "") || b.moto == b.aws {
				t.Errorf("%s: needs a source, an answer of AWS, and a reason where moto differs", b.name)
			}
			if slices.Contains(names, b.name) {
				t.Errorf("%s stands twice", b.name)
			}
			names = append(names, b.name)
		}
	}
	if len(names) < 60 {
		t.Errorf("%d behaviours are too few for an opinion", len(names))
	}
}

// accepted is what is seen of a call that succeeds.
const accepted = "accepted"

// code is the error code of an answer.
func code(err error) string {
	if err == nil {
		return accepted
	}
	if broke(err) {
		return "HTTP 500"
	}
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		return answer.ErrorCode()
	}
	return err.Error()
}

// broke tells that the service failed, instead of refusing.
func broke(err error) bool {
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok && response.HTTPStatusCode() == http.StatusInternalServerError
}

// refused tells only whether a call was refused, where AWS documents that but not the code.
func refused(err error) string {
	if _, ok := errors.AsType[smithy.APIError](err); ok && !broke(err) {
		return "refused"
	}
	return code(err)
}

// each joins what is seen in turn.
func each(seen ...string) string { return strings.Join(seen, ", ") }
