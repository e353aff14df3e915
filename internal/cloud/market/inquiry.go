package market

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
)

// inquiry is everything that is asked before a plan, each answer beside its error.
type inquiry struct {
	market *Market
	config stack.Config
	prices *book

	account, arn, partition string
	callerErr               error

	image    stack.Image
	ofImage  []string
	imageErr error
	imageID  chan string // gets the ID of the image as soon as it is known; closed when there is no more to come

	survey    *survey
	surveyErr error

	address    string
	addressErr error

	net       network
	ofNetwork []string

	region    *discovery.Region // only where something is reused
	regionErr error
	reuse     reuse
}

func (m *Market) inquire(c stack.Config) *inquiry {
	return &inquiry{market: m, config: c, prices: m.open(c.Region), imageID: make(chan string, 1)}
}

// ask asks everything at once, and the further questions beside it; optional ones get a context that ends early. When it is
// not known who calls, all else is broken off.
func (q *inquiry) ask(ctx context.Context, further func(ctx, optional context.Context) []func() error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	optional, cancelOptional := context.WithTimeout(ctx, patience)
	defer cancelOptional()
	m, c := q.market, q.config
	questions := []func() error{
		func() error {
			if q.callerErr = q.askCaller(ctx); q.callerErr != nil {
				cancel()
			}
			return nil
		},
		func() error { q.askImage(ctx); return nil },
		func() error { q.survey, q.surveyErr = m.survey(ctx, c, forPlan, q.prices); return nil },
		func() error { q.address, q.addressErr = m.callerCIDR(ctx, c); return nil },
		func() error { q.net, q.ofNetwork = m.askNetwork(optional); return nil },
		func() error { q.prices.components(optional); return nil },
		func() error { q.region, q.regionErr = m.discover(ctx, c); return nil },
	}
	if further != nil {
		questions = append(questions, further(ctx, optional)...)
	}
	_ = together(questions...)
	q.prices.close()
}

func (q *inquiry) askImage(ctx context.Context) {
	defer close(q.imageID)
	q.image, q.ofImage, q.imageErr = q.market.findImage(ctx, q.config, func(id string) {
		select {
		case q.imageID <- id:
		default: // one is enough
		}
	})
}

// askCaller asks who calls. The partition is the second part of the ARN.
func (q *inquiry) askCaller(ctx context.Context) error {
	out, err := q.market.clients.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return q.market.closedRegion(ctx, q.config, err)
	}
	parts := strings.Split(aws.ToString(out.Arn), ":")
	if len(parts) < 6 || aws.ToString(out.Account) == "" {
		return fmt.Errorf("cannot read the caller's ARN %q", aws.ToString(out.Arn))
	}
	q.account, q.arn, q.partition = *out.Account, *out.Arn, parts[1]
	return nil
}

// closedRegion tells the error of credentials that are wrong from that of a region in which they are not valid yet: a region
// that the account has not opted into refuses every key (AWS Account Management reference guide, "Enable or disable AWS
// Regions"). The region us-east-1, which cannot be disabled, is asked then.
func (m *Market) closedRegion(ctx context.Context, c stack.Config, cause error) error {
	switch api.Code(cause) {
	case "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure":
	default:
		return cause
	}
	if partitionOf(c.Region) != "aws" || c.Region == "us-east-1" {
		return cause
	}
	out, err := m.clients.EC2.DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: new(true), RegionNames: []string{c.Region}},
		func(o *ec2.Options) { o.Region, o.RetryMaxAttempts = "us-east-1", fewAttempts })
	if err != nil || len(out.Regions) == 0 || aws.ToString(out.Regions[0].OptInStatus) != "not-opted-in" {
		return cause
	}
	return &stack.FieldError{
		Key: "region", Source: c.SourceOf("region"), Problem: c.Region + " is not enabled in this account",
		Fix: "enable it with `aws account enable-region --region-name " + c.Region + "`, or choose another",
	}
}

// facts puts the answers together. The zones that are given come first.
func (q *inquiry) facts(given ...string) (stack.Facts, error) {
	if q.callerErr != nil {
		return stack.Facts{}, q.callerErr
	}
	if err := joined(q.imageErr, q.surveyErr, q.addressErr, q.regionErr); err != nil {
		return stack.Facts{}, err
	}
	found, err := q.survey.result(q.config)
	if err != nil {
		q.surveyErr = err
		return stack.Facts{}, err
	}
	f := stack.Facts{
		Account: q.account, Partition: q.partition, Region: q.config.Region, CallerCIDR: q.address, Image: q.image,
		FoundAt: q.market.clock.Now().UTC(),
	}
	if err := q.fitIn(&f, zonesOf(found.Offers), given); err != nil {
		return stack.Facts{}, err
	}
	if f.Prices, err = q.prices.facts(); err != nil {
		return stack.Facts{}, err
	}
	f.Zones, f.Offers = found.within(q.config, f.Reuse, given)
	for _, warnings := range [][]string{q.ofImage, strangeOwner(q.config, f), found.Warnings, q.ofNetwork, q.ofReuse()} {
		f.Warnings = append(f.Warnings, warnings...)
	}
	return f, nil
}

// joined joins errors. That a question was broken off because another failed is no news.
func joined(errs ...error) error {
	var real []error
	for _, err := range errs {
		if !errors.Is(err, context.Canceled) {
			real = append(real, err)
		}
	}
	if err := errors.Join(real...); err != nil {
		return err
	}
	return errors.Join(errs...)
}
