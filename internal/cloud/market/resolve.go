package market

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// staleAfter is the age at which an image is warned of. Lines that AWS keeps up are built every few weeks; of one that it
// has ended the parameter goes on naming the last image.
const staleAfter = 60 * 24 * time.Hour

// Image finds the image that the configuration asks for, with warnings in users' words. A combination that never existed,
// or that ended without allow_discontinued, is a FieldError before any call.
//
// Systems Manager is asked first: one parameter is one image, and only its publisher can write it. Where that fails the
// image is searched by name, among those of the publisher's account. Where a region has no image of the operating system
// that nobody chose, Amazon Linux serves.
func (m *Market) Image(ctx context.Context, c stack.Config) (stack.Image, []string, error) {
	return m.findImage(ctx, c, func(string) {})
}

// Resolve is Image with a warning of an image of the user's that neither the caller nor AWS published.
func (m *Market) Resolve(ctx context.Context, c stack.Config) (stack.Image, []string, error) {
	if c.AMIID == "" {
		return m.Image(ctx, c)
	}
	q := m.inquire(c)
	_ = together(
		func() error { q.askImage(ctx); return nil },
		func() error { q.callerErr = q.askCaller(ctx); return nil },
	)
	if err := joined(q.callerErr, q.imageErr); err != nil {
		return stack.Image{}, nil, err
	}
	return q.image, append(q.ofImage, strangeOwner(c, stack.Facts{Account: q.account, Image: q.image})...), nil
}

// findImage is Image; tell gets the ID of the image before it is described, and again should another one turn out to serve.
func (m *Market) findImage(ctx context.Context, c stack.Config, tell func(id string)) (stack.Image, []string, error) {
	if c.AMIID != "" {
		tell(c.AMIID)
		return m.ownImage(ctx, c)
	}
	image, warnings, err := m.published(ctx, c, tell)
	missing, notPublished := errors.AsType[*notPublishedError](err)
	if !notPublished || c.IsSet("os_type") || c.OSType == amazon2023 {
		return image, warnings, err
	}
	c.OSType = amazon2023
	image, warnings, err = m.published(ctx, c, tell)
	if _, neither := errors.AsType[*notPublishedError](err); neither {
		err = missing
	}
	if err != nil {
		return stack.Image{}, nil, err
	}
	return image, append([]string{missing.what() + "; " + c.OSType + " is used instead"}, warnings...), nil
}

// published finds the newest build of what somebody publishes for everyone.
func (m *Market) published(ctx context.Context, c stack.Config, tell func(id string)) (stack.Image, []string, error) {
	l, err := lineOf(c)
	if err != nil {
		return stack.Image{}, nil, err
	}
	var warnings []string
	if l.state == Discontinued {
		warnings = append(warnings, l.ended+"; its last image gets no security updates: "+l.instead)
	}
	if l.kind == standard && c.WorkloadOrDefault() == stack.WorkloadGPU {
		warnings = append(warnings, "the standard image has no NVIDIA driver, so the GPU stays unused; ami_type base has one")
	}
	found, source, err := m.byParameter(ctx, l, tell)
	if errors.Is(err, errNoParameter) {
		found, source, err = m.byName(ctx, c.Region, l)
	} else if err != nil && api.Classify(err) != api.KindCredentials {
		warnings = append(warnings, "the image could not be had through Systems Manager ("+because(err)+"); it was searched by name")
		found, source, err = m.byName(ctx, c.Region, l)
	}
	if err != nil {
		return stack.Image{}, nil, err
	}
	tell(aws.ToString(found.ImageId))
	image, err := describeImage(found, c, l.kind, source)
	if err != nil {
		return stack.Image{}, nil, err
	}
	return image, append(warnings, m.staleness(found, image)...), nil
}

// notPublishedError says that a region has no image of a line.
type notPublishedError struct {
	region string
	line   line
}

func (e *notPublishedError) what() string {
	return fmt.Sprintf("region %s has no %s image for %s on %s", e.region, e.line.kind, e.line.os, e.line.arch)
}

func (e *notPublishedError) fix() string {
	return "choose another os_type or ami_type, or set ami_id (the account's Allowed AMIs setting can hide images, too)"
}

func (e *notPublishedError) Error() string { return e.what() + "; " + e.fix() }

var errNoParameter = errors.New("no parameter of Systems Manager names such an image in this region")

// byParameter takes the first of the line's parameters that exists. Images are not published in all regions at once.
func (m *Market) byParameter(ctx context.Context, l line, tell func(id string)) (ec2types.Image, string, error) {
	for _, one := range l.images {
		if one.parameter == "" {
			continue
		}
		out, err := m.clients.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: &one.parameter})
		if api.IsNotFound(err) {
			continue
		}
		if err != nil {
			return ec2types.Image{}, "", err
		}
		if out.Parameter == nil || !strings.HasPrefix(aws.ToString(out.Parameter.Value), "ami-") {
			return ec2types.Image{}, "", fmt.Errorf("parameter %s does not hold the ID of an image", one.parameter)
		}
		id := *out.Parameter.Value
		tell(id)
		image, err := m.imageByID(ctx, id)
		if errors.Is(err, errNoImage) {
			err = fmt.Errorf("image %s of parameter %s is not visible here; the account's Allowed AMIs setting may hide it", id, one.parameter)
		}
		return image, one.parameter, err
	}
	return ec2types.Image{}, "", errNoParameter
}

// byName searches the publisher's images. The name of the result is checked again in full, since wildcards let in more
// than is meant, and so is its owner: by name alone anybody could offer an image (Datadog Security Labs, "whoAMI").
func (m *Market) byName(ctx context.Context, region string, l line) (ec2types.Image, string, error) {
	owner, alias := publisher(region, l)
	in := &ec2.DescribeImagesInput{
		Owners: []string{cmp.Or(owner, alias)},
		// The last images of a line that has ended are deprecated, and hidden unless asked for (EC2 user guide, "Deprecate an
		// Amazon EC2 AMI").
		IncludeDeprecated: new(l.state == Discontinued),
		Filters: []ec2types.Filter{
			{Name: new("architecture"), Values: []string{l.arch}},
			{Name: new("state"), Values: []string{"available"}},
			{Name: new("root-device-type"), Values: []string{"ebs"}},
			{Name: new("name")},
		},
	}
	for _, one := range l.images {
		in.Filters[3].Values = append(in.Filters[3].Values, one.search())
	}
	var images []ec2types.Image
	pages := ec2.NewDescribeImagesPaginator(m.clients.EC2, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return ec2types.Image{}, "", err
		}
		images = append(images, page.Images...)
	}
	for _, one := range l.images {
		var builds []ec2types.Image
		for _, image := range images {
			ours := aws.ToString(image.OwnerId) == owner || owner == "" && aws.ToString(image.ImageOwnerAlias) == alias
			if ours && image.State == ec2types.ImageStateAvailable && one.matches(aws.ToString(image.Name)) {
				builds = append(builds, image)
			}
		}
		if len(builds) > 0 {
			newest := slices.MaxFunc(builds, func(a, b ec2types.Image) int {
				return cmp.Or(cmp.Compare(aws.ToString(a.CreationDate), aws.ToString(b.CreationDate)), cmp.Compare(aws.ToString(a.Name), aws.ToString(b.Name)))
			})
			return newest, "DescribeImages " + one.search(), nil
		}
	}
	return ec2types.Image{}, "", &notPublishedError{region, l}
}

// publisher is the account whose images of the line count. In the partitions of GovCloud and China only Canonical's number
// is published; for the others the alias has to do there.
func publisher(region string, l line) (owner, alias string) {
	switch partition := partitionOf(region); {
	case partition == "aws":
		return l.owner(), ""
	case l.owner() == ownerCanonical && partition == "aws-us-gov":
		return "513442679011", ""
	case l.owner() == ownerCanonical:
		return "837727238323", ""
	default:
		return "", "amazon"
	}
}

var errNoImage = errors.New("no such image")

func (m *Market) imageByID(ctx context.Context, id string) (ec2types.Image, error) {
	out, err := m.clients.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	if err != nil {
		return ec2types.Image{}, err
	}
	if len(out.Images) == 0 {
		return ec2types.Image{}, errNoImage
	}
	return out.Images[0], nil
}

// ownImage checks the image that the user chose.
func (m *Market) ownImage(ctx context.Context, c stack.Config) (stack.Image, []string, error) {
	refuse := func(fix, format string, args ...any) (stack.Image, []string, error) {
		return stack.Image{}, nil, &stack.FieldError{Key: "ami_id", Problem: fmt.Sprintf(format, args...), Fix: fix, Source: c.SourceOf("ami_id")}
	}
	found, err := m.imageByID(ctx, c.AMIID)
	switch {
	case errors.Is(err, errNoImage) || api.IsNotFound(err) || api.Code(err) == "InvalidAMIID.Unavailable":
		return refuse("copy the image to this region, or choose another: IDs differ between regions",
			"there is no image %s in %s that this account may use", c.AMIID, c.Region)
	case err != nil:
		return stack.Image{}, nil, err
	case found.State != ec2types.ImageStateAvailable:
		return refuse("wait until it is available, or choose another", "image %s is %s", c.AMIID, found.State)
	case string(found.Architecture) != c.Architecture:
		return refuse("set architecture to "+string(found.Architecture)+", or choose another image",
			"image %s is for %s, not for %s", c.AMIID, found.Architecture, c.Architecture)
	}
	image, err := describeImage(found, c, c.AMITypeOrDefault(), "ami_id")
	if err != nil {
		return stack.Image{}, nil, err
	}
	var warnings []string
	if at, ok := parseTime(found.DeprecationTime); ok && at.Before(m.clock.Now()) {
		warnings = append(warnings, fmt.Sprintf("image %s was deprecated by its owner on %s", image.ID, at.Format(time.DateOnly)))
	}
	return image, warnings, nil
}

// describeImage turns an image into ours. The root device is looked for by its name: the first mapping may be another disk.
func describeImage(found ec2types.Image, c stack.Config, kind, source string) (stack.Image, error) {
	image := stack.Image{
		ID: aws.ToString(found.ImageId), Name: aws.ToString(found.Name), Owner: aws.ToString(found.OwnerId),
		OSType: c.OSType, Architecture: string(found.Architecture), AMIType: kind,
		Source: source, RootDevice: aws.ToString(found.RootDeviceName), LoginUser: loginUser(c.OSType),
	}
	if image.Architecture != c.Architecture {
		return stack.Image{}, fmt.Errorf("image %s is for %s, not for %s", image.ID, image.Architecture, c.Architecture)
	}
	image.CreatedAt, _ = parseTime(found.CreationDate)
	for _, disk := range found.BlockDeviceMappings {
		if aws.ToString(disk.DeviceName) == image.RootDevice && disk.Ebs != nil && disk.Ebs.VolumeSize != nil {
			image.RootGiB = int(*disk.Ebs.VolumeSize)
		}
	}
	if image.RootDevice == "" || image.RootGiB == 0 {
		return stack.Image{}, fmt.Errorf("image %s has no EBS root volume; choose another", image.ID)
	}
	return image, nil
}

// staleness warns of an image whose line has probably ended.
func (m *Market) staleness(found ec2types.Image, image stack.Image) []string {
	now := m.clock.Now()
	if at, ok := parseTime(found.DeprecationTime); ok && at.Before(now) {
		return []string{fmt.Sprintf("image %s was deprecated on %s; there may be security updates that it lacks", image.Name, at.Format(time.DateOnly))}
	}
	if age := now.Sub(image.CreatedAt); !image.CreatedAt.IsZero() && age > staleAfter {
		return []string{fmt.Sprintf("image %s is %d days old: its publisher may have ended that line", image.Name, int(age/(24*time.Hour)))}
	}
	return nil
}

func parseTime(s *string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, aws.ToString(s))
	return t, err == nil
}
