package sandbox

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// blink is how long a resource that was already seen is missed again.
const blink = 700 * time.Millisecond

// tokenMemory is how long the account remembers the idempotency token of a volume or a route table. AWS does not say how long
// it does, so nothing may rest on more than a day.
const tokenMemory = 24 * time.Hour

// resource is what all resources have in common.
type resource struct {
	ID    string            `json:"id"`
	Born  time.Time         `json:"born"`
	Seen  time.Time         `json:"seen"`           // when reads begin to know it
	Blink time.Time         `json:"blink,omitzero"` // when reads miss it once more; zero: never
	Tags  map[string]string `json:"tags,omitempty"` // nil where the kind has none
}

func (r *resource) base() *resource { return r }

// visible tells whether reads and dependent calls know the resource at a moment.
func (r *resource) visible(now time.Time) bool {
	missed := !r.Blink.IsZero() && !now.Before(r.Blink) && now.Before(r.Blink.Add(blink))
	return !now.Before(r.Seen) && !missed
}

type item interface{ base() *resource }

// kind tells how EC2 speaks of one kind of resource (EC2 API reference, "Error codes", with its ways of writing ID).
type kind struct {
	prefix    string // of its ids
	code      string // of the error for an unknown id, without .NotFound
	malformed string // of the error for an id of the wrong form, without .Malformed
	subject   string // "The vpc ID"
}

var (
	vpcKind        = kind{"vpc", "InvalidVpcID", "InvalidVpcID", "The vpc ID"}
	subnetKind     = kind{"subnet", "InvalidSubnetID", "InvalidSubnetID", "The subnet ID"}
	gatewayKind    = kind{"igw", "InvalidInternetGatewayID", "InvalidInternetGatewayId", "The internetGateway ID"}
	routeTableKind = kind{"rtb", "InvalidRouteTableID", "InvalidRouteTableId", "The routeTable ID"}
	groupKind      = kind{"sg", "InvalidGroup", "InvalidGroupId", "The security group"}
	ruleKind       = kind{"sgr", "InvalidSecurityGroupRuleId", "InvalidSecurityGroupRuleId", "The security group rule ID"}
	interfaceKind  = kind{"eni", "InvalidNetworkInterfaceID", "InvalidNetworkInterfaceId", "The networkInterface ID"}
	instanceKind   = kind{"i", "InvalidInstanceID", "InvalidInstanceID", "The instance ID"}
	volumeKind     = kind{"vol", "InvalidVolume", "InvalidVolumeID", "The volume"}
	endpointKind   = kind{"vpce", "InvalidVpcEndpointId", "InvalidVpcEndpointId", "The Vpc Endpoint Id"}
	spotKind       = kind{"sir", "InvalidSpotInstanceRequestID", "InvalidSpotInstanceRequestID", "The spot instance request ID"}
)

func (k kind) notFound(id string) error {
	return refuse(k.code+".NotFound", "%s '%s' does not exist", k.subject, id)
}

// check refuses an id that cannot be one of this kind.
func (k kind) check(id string) error {
	if strings.HasPrefix(id, k.prefix+"-") {
		return nil
	}
	return refuse(k.malformed+".Malformed", "Invalid id: \"%s\" (expecting \"%s-...\")", id, k.prefix)
}

// find returns the resource as reads and dependent calls know it: a new one is not there yet.
func find[T item](c *call, k kind, all map[string]T, id *string) (T, error) {
	found, err := own(k, all, id)
	if err == nil && !found.base().visible(c.now) {
		return found, k.notFound(*id)
	}
	return found, err
}

// own returns the resource as a delete knows it, which asks the place where it was made.
func own[T item](k kind, all map[string]T, id *string) (T, error) {
	var none T
	if id == nil || *id == "" {
		return none, refuse("MissingParameter", "The request must contain the ID of the resource (%s-...)", k.prefix)
	}
	if err := k.check(*id); err != nil {
		return none, err
	}
	found, ok := all[*id]
	if !ok {
		return none, k.notFound(*id)
	}
	return found, nil
}

// query is what the Describe operations of EC2 have in common.
type query struct {
	ids     []string
	filters []ec2types.Filter
	max     *int32
	token   *string
}

// describe answers a Describe operation: ids that must all exist, filters, order, one page.
func describe[T item, Out any](
	c *call, k kind, all map[string]T, q query, attributes func(T) attributes, show func(T) Out,
) ([]Out, *string, error) {
	if q.max != nil && (*q.max < 5 || *q.max > 1000) {
		return nil, nil, refuse("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value "+
			"between 5 and 1000.", *q.max)
	}
	blank := reflect.New(reflect.TypeFor[T]().Elem()).Interface().(T)
	if _, err := matches(q.filters, attributes(blank), nil); err != nil {
		return nil, nil, err // an unknown filter is refused even where there is nothing to filter
	}
	for _, id := range q.ids {
		if _, err := find(c, k, all, &id); err != nil {
			return nil, nil, err
		}
	}
	var found []Out
	for _, one := range inOrder(all) {
		if len(q.ids) > 0 && !slices.Contains(q.ids, one.base().ID) || !one.base().visible(c.now) {
			continue
		}
		if ok, err := matches(q.filters, attributes(one), one.base().Tags); err != nil {
			return nil, nil, err
		} else if ok {
			found = append(found, show(one))
		}
	}
	return page(found, q.max, q.token, 1000)
}

// inOrder returns resources by age, then by id.
func inOrder[T item](all map[string]T) []T {
	list := make([]T, 0, len(all))
	for _, one := range all {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b T) int {
		return cmp.Or(a.base().Born.Compare(b.base().Born), cmp.Compare(a.base().ID, b.base().ID))
	})
	return list
}
