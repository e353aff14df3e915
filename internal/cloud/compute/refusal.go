package compute

import (
	"fmt"
	"slices"
	"strings"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// codeProtected is EC2's refusal to terminate a protected instance.
const codeProtected = "OperationNotPermitted"

// verdict is what a refused launch means for the rest of the walk.
type verdict int

const (
	stop       verdict = iota // another pool would not help
	nextPool                  // this type in this zone and market has no room
	nextMarket                // no pool of this market may be used: a quota or a permission of the market as a whole
	nextType                  // this type cannot be had anywhere
	again                     // the same pool, shortly: something that was just made is not visible to EC2 yet
)

// judge reads a refusal. Codes: EC2 API reference, "Error codes"; the two texts about instance profiles are what
// RunInstances answers while EC2 does not see a new profile or its role yet (hashicorp/terraform-provider-aws,
// internal/service/ec2).
func judge(err error) (verdict, string) {
	code, message := api.Code(err), api.Message(err)
	switch {
	case code == "InvalidParameterValue" && (strings.Contains(message, "Invalid IAM Instance Profile") || strings.Contains(message, "has no associated IAM Roles")),
		code == "NoSuchEntity",
		api.IsNotFound(err) && code != "InvalidAMIID.NotFound" && code != "InvalidKeyPair.NotFound":
		return again, "EC2 does not see a part of it yet"
	case code == "MaxSpotInstanceCountExceeded":
		return nextMarket, "the spot quota of the account is used up"
	case code == "AuthFailure.ServiceLinkedRoleCreationNotPermitted":
		return nextMarket, "spot needs a service-linked role that the caller may not create (aws iam create-service-linked-role --aws-service-name spot.amazonaws.com)"
	case code == "VcpuLimitExceeded" || code == "InstanceLimitExceeded":
		return nextType, "the vCPU quota of its family is used up"
	case code == "InvalidParameterCombination" && strings.Contains(message, "Free Tier"):
		return nextType, "the account's free plan does not include it"
	case code == "SpotMaxPriceTooLow":
		return nextPool, "the spot price is above the limit"
	case code == "InsufficientFreeAddressesInSubnet":
		return nextPool, "the subnet has no free address"
	case code == "Unsupported" || code == "VolumeTypeNotAvailableInZone" || code == "InsufficientVolumeCapacity":
		return nextPool, "not offered in this zone"
	case code == "IdempotentInstanceTerminated":
		return nextPool, "an earlier try in this pool ended"
	case api.IsCapacity(err):
		return nextPool, "AWS has no free capacity"
	}
	return stop, ""
}

// Try is one pool that was asked, and why it gave nothing.
type Try struct {
	Offer  stack.Offer
	Reason string
	Err    error
}

func (t Try) String() string {
	return fmt.Sprintf("%s %s in %s: %s", t.Offer.Type, t.Offer.Market, t.Offer.Zone, t.Reason)
}

// CapacityError says that no allowed pool had room, and what each one answered.
type CapacityError struct{ Tries []Try }

// Error groups the pools by market and reason, in the order in which they were met.
func (e *CapacityError) Error() string {
	if len(e.Tries) == 0 {
		return "no offer lies in a zone of this network"
	}
	var groups []string
	pools := map[string][]string{}
	for _, t := range e.Tries {
		group := t.Offer.Market + ", " + t.Reason
		if pools[group] == nil {
			groups = append(groups, group)
		}
		pools[group] = append(pools[group], t.Offer.Type+" in "+t.Offer.Zone)
	}
	lines := make([]string, 0, len(groups))
	for _, g := range groups {
		lines = append(lines, g+": "+strings.Join(pools[g], ", "))
	}
	return fmt.Sprintf("none of %d pools had room for the machine (%s)", len(e.Tries), strings.Join(lines, "; "))
}

// Explain says it in one line for the person at the terminal, who has seen each try, and what can be done about it.
func (e *CapacityError) Explain() (message string, hints []string) {
	if len(e.Tries) == 0 {
		return e.Error(), []string{"try another --region or, where one --instance-type was chosen, auto"}
	}
	counts := map[string]int{}
	var reasons []string
	quota := false
	for _, t := range e.Tries {
		reason := t.Offer.Market + ": " + t.Reason
		if counts[reason]++; counts[reason] == 1 {
			reasons = append(reasons, reason)
		}
		quota = quota || api.IsQuota(t.Err)
	}
	for i, reason := range reasons {
		reasons[i] = fmt.Sprintf("%s (%d)", reason, counts[reason])
	}
	hints = []string{"try again later, or allow more: " + strings.Join(e.wider(), ", ")}
	if quota {
		hints = append(hints, "ask AWS for a higher quota of vCPUs: https://console.aws.amazon.com/servicequotas/home/services/ec2/quotas")
	}
	return fmt.Sprintf("none of %d pools had room for the machine; %s", len(e.Tries), strings.Join(reasons, "; ")), hints
}

// wider are the ways to allow more pools than were tried: what was tried already is not among them.
func (e *CapacityError) wider() []string {
	var ways []string
	first := e.Tries[0].Offer
	if !slices.ContainsFunc(e.Tries, func(t Try) bool { return t.Offer.Market != first.Market }) {
		ways = append(ways, "--market spot-first")
	}
	if !slices.ContainsFunc(e.Tries, func(t Try) bool { return t.Offer.Type != first.Type }) {
		ways = append(ways, "--instance-type auto")
	}
	return append(ways, "another --region")
}

// Unwrap gives the answers of EC2, what tells most first: the error is one of capacity when any pool was full, and one of a
// quota only when no pool was.
func (e *CapacityError) Unwrap() []error {
	var full, limited, rest []error
	for _, t := range e.Tries {
		switch {
		case api.IsCapacity(t.Err):
			full = append(full, t.Err)
		case api.IsQuota(t.Err):
			limited = append(limited, t.Err)
		default:
			rest = append(rest, t.Err)
		}
	}
	return slices.Concat(full, limited, rest)
}
