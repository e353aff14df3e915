package market

import "slices"

// TypeNames lists the instance types that this version knows, sorted, without asking anybody. AWS may have others.
func TypeNames() []string {
	types, err := readTypes()
	if err != nil {
		return nil
	}
	var names []string
	for _, t := range types {
		names = append(names, t.name)
	}
	slices.Sort(names)
	return names
}
