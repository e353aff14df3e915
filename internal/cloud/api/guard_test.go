package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/efs"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
)

// wire answers requests in place of AWS: the last reply is given for ever.
type wire struct {
	replies []reply
	sent    int
}

type reply struct {
	status int
	body   string
	err    error
	after  time.Duration
}

// slept is the reply that comes when the computer has slept.
func slept(r reply) reply {
	r.after = 30 * time.Hour
	return r
}

func (w *wire) Do(*http.Request) (*http.Response, error) {
	r := w.replies[min(w.sent, len(w.replies)-1)]
	w.sent++
	time.Sleep(r.after)
	if r.err != nil {
		return nil, r.err
	}
	return &http.Response{
		StatusCode: r.status, ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(strings.NewReader(r.body)),
		Header: http.Header{"Content-Type": {"text/xml"}},
	}, nil
}

func (w *wire) config() aws.Config {
	cfg := aws.Config{
		Region:     "eu-central-1",
		HTTPClient: w,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
		}),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 5 })
		},
	}
	api.Guard(&cfg)
	return cfg
}

// ec2Error is an error as EC2 writes it.
func ec2Error(status int, code, message string) reply {
	return reply{status: status, body: fmt.Sprintf(
		`<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>req-1</RequestID></Response>`, code, message)}
}

var (
	lostReply = reply{err: &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}}
	noRoute   = reply{err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
	vpcMade   = reply{status: 200, body: `<CreateVpcResponse><vpc><vpcId>vpc-1</vpcId></vpc></CreateVpcResponse>`}
	vpcsRead  = reply{status: 200, body: `<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>`}
)

func createVpc(ctx context.Context, cfg aws.Config) error {
	_, err := ec2.NewFromConfig(cfg).CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16")})
	return err
}

func describeVpcs(ctx context.Context, cfg aws.Config) error {
	_, err := ec2.NewFromConfig(cfg).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
	return err
}

func runInstances(ctx context.Context, cfg aws.Config) error {
	_, err := ec2.NewFromConfig(cfg).RunInstances(ctx, &ec2.RunInstancesInput{MinCount: new(int32(1)), MaxCount: new(int32(1))})
	return err
}

func createMountTarget(ctx context.Context, cfg aws.Config) error {
	_, err := efs.NewFromConfig(cfg).CreateMountTarget(ctx, &efs.CreateMountTargetInput{FileSystemId: new("fs-1"), SubnetId: new("subnet-1")})
	return err
}

func createVolume(ctx context.Context, cfg aws.Config) error {
	_, err := ec2.NewFromConfig(cfg).CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: new("eu-central-1a"), Size: new(int32(1))})
	return err
}

func TestOnlyHarmlessCallsAreRepeated(t *testing.T) {
	throttled := ec2Error(503, "RequestLimitExceeded", "Request limit exceeded.")
	broken := ec2Error(500, "InternalError", "An internal error has occurred")
	capacity := ec2Error(500, "InsufficientInstanceCapacity", "We currently do not have sufficient capacity")
	tests := []struct {
		name   string
		call   func(context.Context, aws.Config) error
		wire   []reply
		sent   int
		ok     bool
		unsure bool // CreateError says that the thing may exist
	}{
		{"a create without a token whose reply is lost", createVpc, []reply{lostReply, vpcMade}, 1, false, true},
		{"a create without a token that breaks inside AWS", createVpc, []reply{broken, vpcMade}, 1, false, true},
		{"a create without a token whose answer is cut short", createVpc, []reply{{status: 200, body: "<CreateVpcResponse><vpc>"}, vpcMade}, 1, false, true},
		{"a create without a token that was throttled", createVpc, []reply{throttled, throttled, vpcMade}, 3, true, false},
		{"a create without a token that was never sent", createVpc, []reply{noRoute, noRoute, vpcMade}, 3, true, false},
		{"a create without a token when there is no network at all", createVpc, []reply{noRoute}, 5, false, false},
		{"a create that is refused", createVpc, []reply{ec2Error(400, "VpcLimitExceeded", "too many")}, 1, false, false},
		{"a mount target whose reply is lost", createMountTarget, []reply{lostReply}, 1, false, true},
		{"a read whose reply is lost", describeVpcs, []reply{lostReply, broken, vpcsRead}, 3, true, false},
		{"a create with a token whose reply is lost", createVolume, []reply{lostReply, {status: 200, body: `<CreateVolumeResponse><volumeId>vol-1</volumeId></CreateVolumeResponse>`}}, 2, true, false},
		{"a create with a token that was lost, then refused", createVolume, []reply{lostReply, ec2Error(403, "UnauthorizedOperation", "no")}, 2, false, true},
		{"a launch without capacity", runInstances, []reply{capacity}, 1, false, false},
		{"a create with a token whose reply was overslept", createVolume, []reply{slept(lostReply)}, 1, false, true},
		{"a launch whose reply was overslept", runInstances, []reply{slept(lostReply), capacity}, 2, false, true},
		{"a read whose reply was overslept", describeVpcs, []reply{slept(lostReply), vpcsRead}, 2, true, false},
		{"a create that was signed before the computer slept", createVpc, []reply{slept(ec2Error(400, "RequestExpired", "too old")), vpcMade}, 2, true, false},
		{"a create whose signature is too old at once", createVpc, []reply{ec2Error(400, "RequestExpired", "too old")}, 1, false, false},
		{"a launch whose reply is lost", runInstances, []reply{lostReply, capacity}, 2, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{replies: test.wire}
				err := test.call(t.Context(), w.config())
				if w.sent != test.sent {
					t.Errorf("was sent %d times, want %d (%v)", w.sent, test.sent, err)
				}
				if (err == nil) != test.ok {
					t.Errorf("error %v, want success: %v", err, test.ok)
				}
				var unsure engine.Unsure
				if got := errors.As(api.CreateError(err), &unsure); got != test.unsure {
					t.Errorf("outcome unknown: %v, want %v (%v)", got, test.unsure, err)
				}
			})
		})
	}
}

func TestGuardingTwiceIsGuardingOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{replies: []reply{lostReply, vpcsRead}}
		cfg := w.config()
		api.Guard(&cfg)
		if err := describeVpcs(t.Context(), cfg); err != nil {
			t.Error(err)
		}
	})
}

func TestGuardLeavesOtherConfigurationsAlone(t *testing.T) {
	original := aws.Config{APIOptions: nil}
	copied := original
	api.Guard(&copied)
	if len(original.APIOptions) != 0 || len(copied.APIOptions) != 1 {
		t.Errorf("original has %d options, copy has %d", len(original.APIOptions), len(copied.APIOptions))
	}
}

func TestTheWireIsExplained(t *testing.T) {
	for _, test := range []struct {
		wire reply
		kind api.Kind
		says string
	}{
		{lostReply, api.KindNetwork, "cannot reach the endpoint of EC2: connection reset by peer"},
		{noRoute, api.KindNetwork, "cannot reach the endpoint of EC2: connection refused"},
		{reply{status: 200, body: "<html>Please log in</html>"}, api.KindNetwork, "the endpoint of EC2 answered something that AWS would not"},
		{reply{status: 200, body: "\n<!DOCTYPE html><title>Welcome</title>"}, api.KindNetwork, "the endpoint of EC2 answered something that AWS would not"},
		{reply{status: 200, body: ""}, api.KindNetwork, "the endpoint of EC2 answered something that AWS would not"},
		{reply{status: 200, body: "hello there"}, api.KindNetwork, "the endpoint of EC2 answered something that AWS would not"},
		{reply{status: 200, body: `{"vpcs": []}`}, api.KindNetwork, "the endpoint of EC2 answered something that AWS would not"},
		{reply{status: 403, body: "<html>Forbidden</html>"}, api.KindNetwork, "the endpoint of EC2 answered something that AWS would not"},
		{ec2Error(503, "RequestLimitExceeded", "slow"), api.KindThrottled, "AWS asks to be called less often (EC2 CreateVpc: RequestLimitExceeded, 5 times)"},
		{ec2Error(400, "InvalidParameterValue", "bad"), api.KindInvalid, "EC2 CreateVpc: InvalidParameterValue: bad"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{replies: []reply{test.wire}}
			err := createVpc(t.Context(), w.config())
			message, _ := api.Explain(err)
			if kind := api.Classify(err); kind != test.kind || message != test.says {
				t.Errorf("%s: %q, want %s: %q", kind, message, test.kind, test.says)
			}
		})
	}
}

func TestWhatIsNotAWSIsNoProofThatSomethingIsGone(t *testing.T) {
	for _, body := range []string{"<html>Please log in</html>", "", "ok", "{}", "null"} {
		w := &wire{replies: []reply{{status: 200, body: body}}}
		out, err := ec2.NewFromConfig(w.config()).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-1"}})
		if err == nil {
			t.Errorf("%q was read as %+v", body, out)
		}
	}
	for _, body := range []string{"<html>Please log in</html>", "ok", "<Response/>"} {
		w := &wire{replies: []reply{{status: 200, body: body}}}
		out, err := efs.NewFromConfig(w.config()).DescribeFileSystems(t.Context(), &efs.DescribeFileSystemsInput{})
		if err == nil {
			t.Errorf("%q was read as %+v", body, out)
		}
	}
}

func TestACancelledCreateIsUnsure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := &wire{replies: []reply{{err: context.Canceled}}}
	cfg := w.config()
	cancel()
	err := createVpc(ctx, cfg)
	if _, unsure := errors.AsType[engine.Unsure](api.CreateError(err)); !unsure || api.Classify(err) != api.KindOther {
		t.Errorf("%s: %v", api.Classify(err), err)
	}
}

func TestWithoutCredentialsNothingIsUnsure(t *testing.T) {
	w := &wire{replies: []reply{vpcMade}}
	cfg := w.config()
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, &api.CredentialsError{Profile: "work", Err: errors.New("expired")}
	})
	err := createVpc(t.Context(), cfg)
	var unsure engine.Unsure
	if w.sent != 0 || err == nil || errors.As(api.CreateError(err), &unsure) {
		t.Errorf("sent %d, error %v", w.sent, api.CreateError(err))
	}
}

func TestCreateErrorOfADuplicateIsUnsure(t *testing.T) {
	for _, code := range []string{"InvalidGroup.Duplicate", "EntityAlreadyExists", "FileSystemAlreadyExists", "MountTargetConflict", "InvalidSubnet.Conflict", "ParameterAlreadyExists"} {
		var unsure engine.Unsure
		if err := api.CreateError(coded(code, "")); !errors.As(err, &unsure) {
			t.Errorf("%s is not unsure", code)
		}
	}
	if api.CreateError(nil) != nil {
		t.Error("no error became one")
	}
}
