package store

import (
	"errors"
	"fmt"
	"slices"

	"geusemaker/internal/stack"
)

// check looks for what a state never holds when we have written it. A state on disk is not to be trusted: its names become
// paths and its records are what a destroy deletes.
func check(s stack.State, name string) error {
	switch {
	case s.Name != name:
		return fmt.Errorf("it is the state of %q", printable(s.Name))
	case !validID(s.ID):
		return fmt.Errorf("%q cannot be the ID of a deployment", printable(s.ID))
	case s.Serial < 0:
		return fmt.Errorf("its serial is %d", s.Serial)
	}
	records := s.Sorted()
	at := map[stack.Key]int{}
	for i, r := range records {
		at[r.Key] = i
	}
	for key, r := range s.Records {
		if err := checkRecord(key, r); err != nil {
			return err
		}
	}
	_, cycle := stack.Order(len(records), func(i int) []int {
		var needs []int
		for _, key := range records[i].Needs {
			if j, ok := at[key]; ok {
				needs = append(needs, j)
			}
		}
		return needs
	})
	if cycle != nil {
		return fmt.Errorf("resources %q and %q need each other", printable(string(records[cycle[0]].Key)), printable(string(records[cycle[len(cycle)-1]].Key)))
	}
	return nil
}

func checkRecord(key stack.Key, r stack.Record) error {
	k := printable(string(key))
	switch {
	case key == "":
		return errors.New("a resource has no key")
	case r.Key != key:
		return fmt.Errorf("resource %q calls itself %q", k, printable(string(r.Key)))
	case !slices.Contains(kinds(), r.Kind):
		return fmt.Errorf("resource %q is of the kind %q, which this version does not know", k, printable(string(r.Kind)))
	case !slices.Contains(statuses(), r.Status):
		return fmt.Errorf("resource %q has the status %q, which this version does not know", k, printable(string(r.Status)))
	}
	return nil
}

// validID reports whether an ID can be part of a file name on every system.
func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, b := range []byte(id) {
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' {
			return false
		}
	}
	return true
}

func kinds() []stack.Kind {
	return []stack.Kind{
		stack.KindVPC, stack.KindGateway, stack.KindSubnet, stack.KindRouteTable, stack.KindEndpoint, stack.KindSecurityGroup, stack.KindRule,
		stack.KindFileSystem, stack.KindMountTarget, stack.KindRole, stack.KindRolePolicy, stack.KindProfile,
		stack.KindParameter, stack.KindInstance, stack.KindVolume,
	}
}

func statuses() []stack.Status {
	return []stack.Status{stack.StatusPending, stack.StatusCreated, stack.StatusReady, stack.StatusDeleting}
}
