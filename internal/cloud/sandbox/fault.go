package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The effects that a fault can have.
const (
	EffectError       = "error"        // the call is refused with Code, Message and HTTPStatus; nothing changes
	EffectLoseRequest = "lose-request" // the connection breaks before the account has seen the call
	EffectLoseReply   = "lose-reply"   // the connection breaks after the account has carried the call out
	EffectTimeOut     = "time-out"     // the account has carried the call out, and the reply does not come in time
	EffectDelay       = "delay"        // the call takes Delay longer
	EffectBootFails   = "boot-fails"   // Service "machine": the bootstrap gives up at the step named by Operation
	EffectVanish      = "vanish"       // Service "machine", operation "launch": it ends before it runs, for want of capacity
)

// ServiceMachine is the Service of faults that act on the machine instead of on a call.
const ServiceMachine = "machine"

// operationLaunch is the Operation of faults that act on a machine when it is launched.
const operationLaunch = "launch"

// Fault makes calls fail on purpose. Service and Operation may hold the wildcards * and ?. Faults are kept in the snapshot, so they also act on later commands.
type Fault struct {
	Service   string `json:"service"`   // as the SDK names it: EC2, EFS, IAM, SSM ...
	Operation string `json:"operation"` // CreateVpc ...

	Effect     string        `json:"effect"`
	Code       string        `json:"code,omitempty"`
	Message    string        `json:"message,omitempty"`
	HTTPStatus int           `json:"http_status,omitempty"` // 0: the status that comes with Code
	Delay      time.Duration `json:"delay,omitempty"`       // virtual
	Skip       int           `json:"skip,omitempty"`        // let this many matching calls pass first
	Count      int           `json:"count,omitempty"`       // then act this many times; 0 means always
	Seen       int           `json:"seen,omitempty"`        // matching calls so far
}

// Validate says what is wrong with the fault, naming the allowed values.
func (f Fault) Validate() error {
	effects := []string{EffectError, EffectLoseRequest, EffectLoseReply, EffectTimeOut, EffectDelay, EffectBootFails, EffectVanish}
	onMachine := f.Effect == EffectBootFails || f.Effect == EffectVanish
	switch {
	case !slices.Contains(effects, f.Effect):
		return fmt.Errorf("unknown effect %q of a fault: use one of %v", f.Effect, effects)
	case f.Service == "" || f.Operation == "":
		return fmt.Errorf("a fault needs a service and an operation: use \"*\" for any")
	case onMachine != (f.Service == ServiceMachine):
		return fmt.Errorf("effects %q and %q go with service %q, and no other does", EffectBootFails, EffectVanish, ServiceMachine)
	case f.Effect == EffectVanish && f.Operation != operationLaunch:
		return fmt.Errorf("effect %q goes with operation %q", EffectVanish, operationLaunch)
	case f.Effect == EffectError && f.Code == "":
		return fmt.Errorf("a fault with effect %q needs an error code", EffectError)
	case f.Effect == EffectDelay && f.Delay <= 0:
		return fmt.Errorf("a fault with effect %q needs a delay", EffectDelay)
	case f.Effect == EffectBootFails && !slices.Contains(BootSteps(), f.Operation):
		return fmt.Errorf("unknown boot step %q: use one of %v", f.Operation, BootSteps())
	case f.Skip < 0 || f.Count < 0:
		return fmt.Errorf("a fault lets %d calls pass and then %d fail: use numbers from 0", f.Skip, f.Count)
	case !onMachine:
		return f.meetsACall()
	}
	return nil
}

// meetsACall refuses a fault that no call could ever meet, naming what could be meant.
func (f Fault) meetsACall() error {
	services, names := map[string]bool{}, map[string]bool{}
	matched := false
	for call := range operations() {
		service, name, _ := strings.Cut(call, ".")
		services[service] = true
		if !like(f.Service, service) {
			continue
		}
		matched = true
		if names[name] = true; like(f.Operation, name) {
			return nil
		}
	}
	if !matched {
		return fmt.Errorf("there is no service %q: %s", f.Service, meant(f.Service, services))
	}
	return fmt.Errorf("%s has no operation %q: %s", f.Service, f.Operation, meant(f.Operation, names))
}

// meant is the name that differs in its capitals only, or else all that there are.
func meant(word string, known map[string]bool) string {
	all := slices.Sorted(maps.Keys(known))
	for _, name := range all {
		if strings.EqualFold(name, word) {
			return "did you mean " + name + "?"
		}
	}
	return "use one of " + strings.Join(all, ", ")
}

// timeOut is how long a reply is waited for that does not come.
const timeOut = time.Minute

// hit counts a call against the fault and tells whether the fault acts on it.
func (f *Fault) hit(service, operation string) bool {
	if !like(f.Service, service) || !like(f.Operation, operation) {
		return false
	}
	if f.Effect == EffectBootFails && service != ServiceMachine {
		return false
	}
	f.Seen++
	return f.Seen > f.Skip && (f.Count == 0 || f.Seen <= f.Skip+f.Count)
}

// says is the message of an injected error. A missing permission names user and action as AWS does.
func (f *Fault) says(service, operation, account string) string {
	if f.Message != "" {
		return f.Message
	}
	switch f.Code {
	case "UnauthorizedOperation", "AccessDenied", "AccessDeniedException":
		prefix := strings.ToLower(strings.ReplaceAll(service, " ", ""))
		if service == serviceEFS {
			prefix = "elasticfilesystem"
		}
		action := prefix + ":" + operation
		return "User: arn:aws:iam::" + account + ":user/sandbox is not authorized to perform: " + action +
			" because no identity-based policy allows the " + action + " action"
	}
	return "This error was asked for with `geusemaker sandbox fault`."
}

// AddFault adds a fault to those that act on later calls. An invalid one is refused with the reason.
func (a *Account) AddFault(f Fault) error {
	if err := f.Validate(); err != nil {
		return err
	}
	return a.update(func(s *state) error {
		s.Faults = append(s.Faults, f)
		return nil
	})
}

// Faults returns the faults in force, as last known, with how often each was met.
func (a *Account) Faults() []Fault {
	var faults []Fault
	_ = a.view(func(s *state) { faults = slices.Clone(s.Faults) })
	return faults
}

// ClearFaults removes all faults.
func (a *Account) ClearFaults() error {
	return a.update(func(s *state) error {
		s.Faults = nil
		return nil
	})
}
