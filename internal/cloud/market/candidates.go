package market

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// mostAsked bounds how many types are asked about for a plan.
const mostAsked = 16

// candidates are the types that may serve the configuration, with warnings: the one that the user named, or a short list of at most most.
func (m *Market) candidates(ctx context.Context, c stack.Config, most int) ([]machineType, []string, error) {
	if err := m.checkType(c); err != nil {
		return nil, nil, err
	}
	known, err := m.types()
	if err != nil {
		return nil, nil, err
	}
	if c.InstanceType == stack.Auto {
		if list := shortlist(known, c, most); len(list) > 0 {
			return list, nil, nil
		}
		return nil, nil, noneSuits(c)
	}
	i := slices.IndexFunc(known, func(t machineType) bool { return t.name == c.InstanceType })
	if i < 0 {
		return m.unlisted(ctx, c, known)
	}
	warnings, err := fit(known[i], c)
	return known[i : i+1], warnings, err
}

// noneSuits says that no type may be chosen unasked: a model may be too large for all of them.
func noneSuits(c stack.Config) error {
	e := &stack.FieldError{
		Key: "instance_type", Source: c.SourceOf("instance_type"), Fix: "name an instance type, or choose another architecture",
		Problem: fmt.Sprintf("no type is known that suits workload %s on %s", c.WorkloadOrDefault(), c.Architecture),
	}
	if model, need := largestModel(c); need > 0 {
		e.Problem += fmt.Sprintf(" and holds model %s, which takes about %d GiB", model, gib(need))
		e.Fix += ", or a smaller model"
	}
	return e
}

// gib is an amount in MiB as whole GiB, rounded up.
func gib(mib int) int { return (mib + 1023) >> 10 }

// unlisted asks EC2 for a type that the embedded list does not hold.
func (m *Market) unlisted(ctx context.Context, c stack.Config, known []machineType) ([]machineType, []string, error) {
	out, err := m.clients.EC2.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []ec2types.InstanceType{ec2types.InstanceType(c.InstanceType)}})
	if strings.HasPrefix(api.Code(err), "InvalidInstanceType") || err == nil && len(out.InstanceTypes) == 0 {
		refusal := &stack.FieldError{
			Key: "instance_type", Source: c.SourceOf("instance_type"), Fix: "`geusemaker offers` lists what fits",
			Problem: fmt.Sprintf("region %s has no instance type %q", c.Region, c.InstanceType),
		}
		var names []string
		for _, t := range known {
			names = append(names, t.name)
		}
		if near := stack.Nearest(c.InstanceType, names); near != "" {
			refusal.Fix = fmt.Sprintf("did you mean %s? %s", near, refusal.Fix)
		}
		return nil, nil, refusal
	}
	if err != nil {
		return nil, nil, err
	}
	t := machineTypeOf(out.InstanceTypes[0])
	warnings, err := fit(t, c)
	return []machineType{t}, warnings, err
}

// checkType refuses a named type that cannot serve, as far as its name and the embedded list tell. It makes no calls.
func (m *Market) checkType(c stack.Config) error {
	known, err := m.types()
	if err != nil || c.InstanceType == stack.Auto {
		return err
	}
	t := machineType{name: c.InstanceType, architecture: c.Architecture, memoryMiB: enoughGPUMiB, gpu: "unknown", spot: true}
	if i := slices.IndexFunc(known, func(t machineType) bool { return t.name == c.InstanceType }); i >= 0 {
		t = known[i]
	}
	_, err = fit(t, c)
	return err
}

// undrivable are the GPU families that the images' open NVIDIA driver cannot drive: too old, or of another maker (Deep
// Learning AMIs developer guide, "Important changes to DLAMIs", supported instance families).
var undrivable = []string{"p2", "p3", "p3dn", "g2", "g3", "g3s", "g4ad"}

// fit refuses a type that the user named and that cannot serve, and warns of one that will serve badly.
func fit(t machineType, c stack.Config) (warnings []string, err error) {
	refuse := func(fix, format string, args ...any) ([]string, error) {
		return nil, &stack.FieldError{Key: "instance_type", Problem: fmt.Sprintf(format, args...), Fix: fix, Source: c.SourceOf("instance_type")}
	}
	gpuWanted := c.WorkloadOrDefault() == stack.WorkloadGPU
	switch {
	case t.architecture != c.Architecture:
		return refuse(fmt.Sprintf("set architecture to %s, or choose another type", t.architecture),
			"%s is for %s, the image for %s", t.name, t.architecture, c.Architecture)
	case gpuWanted && slices.Contains(undrivable, t.family()):
		return refuse("choose a type of the families g4dn, g5, g6 or g6e", "the NVIDIA driver of the images does not drive the GPU of %s", t.name)
	case gpuWanted && t.gpu == "":
		return refuse("choose a type with one, or set workload to cpu", "%s has no GPU", t.name)
	case t.memoryMiB < tooLittleMiB:
		return refuse("choose a type with 8 GiB or more", "%s has %d MiB of memory, in which the services cannot start", t.name, t.memoryMiB)
	case c.Market == stack.MarketSpot && !t.spot:
		return refuse("set market to on-demand, or choose another type", "%s is not sold on the spot market", t.name)
	}
	if t.memoryMiB < enough(c) {
		warnings = append(warnings, fmt.Sprintf("%s has %d GiB of memory; this stack runs well with %d GiB or more", t.name, t.memoryMiB>>10, gib(enough(c))))
	}
	if model, need := largestModel(c); gpuWanted && t.gpuMemoryMiB > 0 && max(1, t.gpus)*t.gpuMemoryMiB < need {
		warnings = append(warnings, fmt.Sprintf("model %s takes about %d GiB, and the GPU of %s has %d GiB: the rest will run on the CPU, slowly",
			model, gib(need), t.name, max(1, t.gpus)*t.gpuMemoryMiB>>10))
	}
	if t.gpu != "" && !gpuWanted {
		warnings = append(warnings, fmt.Sprintf("%s has a GPU, which workload cpu leaves unused", t.name))
	}
	return warnings, nil
}
