package sandbox_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"geusemaker/internal/cloud/sandbox"
)

func TestTheSDKRunsAboveTheSandbox(t *testing.T) {
	t.Run("an answer has a request id", func(t *testing.T) {
		inBubble(t, func(w *world) {
			out := must(w.sts.GetCallerIdentity(w.ctx, &sts.GetCallerIdentityInput{}))(w)
			if id, ok := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata); !ok || len(id) != 36 {
				w.Errorf("request id %q", id)
			}
			if *out.Account != "111122223333" {
				w.Errorf("account %s", *out.Account)
			}
		})
	})
	t.Run("the SDK's validation comes first", func(t *testing.T) {
		inBubble(t, func(w *world) {
			_, err := w.ec2.CreateSubnet(w.ctx, &ec2.CreateSubnetInput{})
			if !strings.Contains(err.Error(), "VpcId") || codeOf(err) != "" {
				w.Errorf("got %v", err)
			}
		})
	})
	t.Run("paginators follow the tokens", func(t *testing.T) {
		inBubble(t, func(w *world) {
			pages, types := 0, 0
			paginator := ec2.NewDescribeInstanceTypesPaginator(w.ec2, &ec2.DescribeInstanceTypesInput{MaxResults: new(int32(100))})
			for paginator.HasMorePages() {
				types += len(must(paginator.NextPage(w.ctx))(w).InstanceTypes)
				pages++
			}
			if pages != 4 || types != 322 {
				w.Errorf("%d types on %d pages", types, pages)
			}
		})
	})
	t.Run("an unknown operation is named", func(t *testing.T) {
		inBubble(t, func(w *world) {
			_, err := w.ec2.CreateNatGateway(w.ctx, &ec2.CreateNatGatewayInput{SubnetId: new("subnet-1")})
			if err == nil || !strings.Contains(err.Error(), "the sandbox does not know EC2 CreateNatGateway") {
				w.Errorf("got %v", err)
			}
		})
	})
	t.Run("a client may choose another region", func(t *testing.T) {
		inBubble(t, func(w *world) {
			out := must(w.ec2.DescribeAvailabilityZones(w.ctx, &ec2.DescribeAvailabilityZonesInput{}, func(o *ec2.Options) {
				o.Region = "eu-west-1"
			}))(w)
			if len(out.AvailabilityZones) != 3 || *out.AvailabilityZones[0].ZoneName != "eu-west-1a" {
				w.Errorf("zones %v", out.AvailabilityZones)
			}
		})
	})
	t.Run("a region that does not exist does not resolve", func(t *testing.T) {
		inBubble(t, func(w *world) {
			_, err := w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{}, func(o *ec2.Options) { o.Region = "mars-1" })
			if err == nil || !strings.Contains(err.Error(), "no such host") {
				w.Errorf("got %v", err)
			}
		})
	})
	t.Run("the price list is served from three regions only", func(t *testing.T) {
		inBubble(t, func(w *world) {
			in := &pricing.GetProductsInput{ServiceCode: new("AmazonEFS")}
			_, err := w.pricing.GetProducts(w.ctx, in, func(o *pricing.Options) { o.Region = "us-west-2" })
			if err == nil || !strings.Contains(err.Error(), "no such host") {
				w.Errorf("got %v", err)
			}
		})
	})
}

func TestModelledExceptionsAreTyped(t *testing.T) {
	inBubble(t, func(w *world) {
		status := func(err error) int {
			response, ok := errors.AsType[*awshttp.ResponseError](err)
			if !ok {
				w.Fatalf("%v is no response error", err)
			}
			return response.HTTPStatusCode()
		}
		_, err := w.iam.GetRole(w.ctx, &iam.GetRoleInput{RoleName: new("nobody")})
		if _, ok := errors.AsType[*iamtypes.NoSuchEntityException](err); !ok || status(err) != 404 || codeOf(err) != "NoSuchEntity" {
			w.Errorf("IAM: %v", err)
		}
		_, err = w.ssm.GetParameter(w.ctx, &ssm.GetParameterInput{Name: new("/nothing")})
		if _, ok := errors.AsType[*ssmtypes.ParameterNotFound](err); !ok || status(err) != 400 {
			w.Errorf("SSM: %v", err)
		}
		_, err = w.efs.DescribeFileSystems(w.ctx, &efs.DescribeFileSystemsInput{FileSystemId: new("fs-0")})
		if _, ok := errors.AsType[*efstypes.FileSystemNotFound](err); !ok || status(err) != 404 {
			w.Errorf("EFS: %v", err)
		}
		_, err = w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-0"}})
		if codeOf(err) != "InvalidVpcID.NotFound" || status(err) != 400 {
			w.Errorf("EC2: %v", err)
		}
	})
}

func TestFaults(t *testing.T) {
	created := func(w *world) int {
		return len(must(w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{}))(w).Vpcs) - 1
	}
	cases := []struct {
		name  string
		fault sandbox.Fault
		calls int // of CreateVpc
		code  string
		vpcs  int
	}{
		{"a lost reply makes the retryer create twice", sandbox.Fault{Effect: sandbox.EffectLoseReply, Count: 1}, 1, "", 2},
		{"a lost request is repeated without harm", sandbox.Fault{Effect: sandbox.EffectLoseRequest, Count: 1}, 1, "", 1},
		{
			"throttling is repeated", sandbox.Fault{Effect: sandbox.EffectError, Code: "RequestLimitExceeded", Count: 2}, 1, "", 1,
		},
		{
			"throttling beyond the attempts is an error",
			sandbox.Fault{Effect: sandbox.EffectError, Code: "RequestLimitExceeded"},
			1, "RequestLimitExceeded", 0,
		},
		{
			"a refusal is not repeated",
			sandbox.Fault{Effect: sandbox.EffectError, Code: "UnauthorizedOperation", Count: 1},
			1, "UnauthorizedOperation", 0,
		},
		{
			"skipped calls pass",
			sandbox.Fault{Effect: sandbox.EffectError, Code: "VpcLimitExceeded", Skip: 1, Count: 1},
			1, "", 1,
		},
		{
			"and the next one is met",
			sandbox.Fault{Effect: sandbox.EffectError, Code: "VpcLimitExceeded", Skip: 1, Count: 1},
			2, "VpcLimitExceeded", 1,
		},
		{"a wildcard meets any call", sandbox.Fault{
			Service: "*", Operation: "Create*", Effect: sandbox.EffectError, Code: "Blocked", Count: 1,
		}, 1, "Blocked", 0},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				if test.fault.Service == "" {
					test.fault.Service, test.fault.Operation = "EC2", "CreateVpc"
				}
				if err := w.account.AddFault(test.fault); err != nil {
					w.Fatal(err)
				}
				var err error
				for range test.calls {
					_, err = w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16")})
				}
				if codeOf(err) != test.code || (err == nil) != (test.code == "") {
					w.Errorf("error %v, want code %q", err, test.code)
				}
				if err := w.account.ClearFaults(); err != nil {
					w.Fatal(err)
				}
				w.settle()
				if got := created(w); got != test.vpcs {
					w.Errorf("%d VPCs, want %d", got, test.vpcs)
				}
			})
		})
	}
	t.Run("a delay takes virtual time", func(t *testing.T) {
		inBubble(t, func(w *world) {
			w.ok(nil, w.account.AddFault(sandbox.Fault{
				Service: "STS", Operation: "*", Effect: sandbox.EffectDelay, Delay: time.Minute, Count: 1,
			}))
			start := time.Now()
			w.ok(w.sts.GetCallerIdentity(w.ctx, &sts.GetCallerIdentityInput{}))
			if took := time.Since(start); took < time.Minute || took > 62*time.Second {
				w.Errorf("took %v", took)
			}
		})
	})
	t.Run("a fault without sense is refused", func(t *testing.T) {
		inBubble(t, func(w *world) {
			for _, fault := range []sandbox.Fault{
				{Service: "EC2", Operation: "*", Effect: "explode"},
				{Effect: sandbox.EffectLoseReply},
				{Service: "EC2", Operation: "*", Effect: sandbox.EffectError},
				{Service: sandbox.ServiceMachine, Operation: "dancing", Effect: sandbox.EffectBootFails},
				{Service: "EC2", Operation: "storage", Effect: sandbox.EffectBootFails},
			} {
				if err := w.account.AddFault(fault); err == nil {
					w.Errorf("%+v was taken", fault)
				}
			}
		})
	})
}

func TestATimedOutCallMayHaveHappened(t *testing.T) {
	inBubble(t, func(w *world) {
		w.ok(nil, w.account.AddFault(sandbox.Fault{
			Service: "EC2", Operation: "CreateVpc", Effect: sandbox.EffectDelay, Delay: 20 * time.Second,
		}))
		ctx, cancel := context.WithTimeout(w.ctx, 15*time.Second) // after the effect, before the reply
		defer cancel()
		_, err := w.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16")})
		if _, ok := errors.AsType[*smithy.CanceledError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
			w.Fatalf("got %v", err)
		}
		w.settle()
		out := must(w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{
			Filters: []ec2types.Filter{{Name: new("cidr"), Values: []string{"10.0.0.0/16"}}},
		}))(w)
		if len(out.Vpcs) != 1 {
			w.Errorf("%d VPCs", len(out.Vpcs))
		}
	})
}

func TestOnCallStandsAroundEveryEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crash := errors.New("killed")
		var seen []sandbox.Call
		stopAt := sandbox.Call{Index: 1, Service: "EC2", Operation: "CreateVpc", Phase: "after"}
		w := open(t, sandbox.Options{OnCall: func(_ context.Context, call sandbox.Call) error {
			seen = append(seen, call)
			if call == stopAt {
				return crash
			}
			return nil
		}})
		w.ok(w.sts.GetCallerIdentity(w.ctx, &sts.GetCallerIdentityInput{}))
		_, err := w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16")})
		if !errors.Is(err, crash) {
			t.Fatalf("got %v", err)
		}
		if len(seen) != 4 || seen[0].Phase != "before" || seen[3] != stopAt {
			t.Errorf("saw %v", seen)
		}
		if len(w.account.Inventory()["vpc"]) != 1 {
			t.Error("the effect before the crash is missing")
		}
	})
}

func TestDryRun(t *testing.T) {
	inBubble(t, func(w *world) {
		w.refused("DryRunOperation")(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16"), DryRun: aws.Bool(true)}))
		if len(w.account.Inventory()) != 0 {
			w.Errorf("a dry run left %v", w.account.Inventory())
		}
		in := w.launch(w.network())
		in.DryRun = new(true)
		w.refused("DryRunOperation")(w.ec2.RunInstances(w.ctx, in))
		in.InstanceType = "t9.huge"
		w.refused("InvalidParameterValue")(w.ec2.RunInstances(w.ctx, in))
	})
}
