package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"geusemaker/internal/cloud/api"
)

// coded is an error answer of EC2, as the SDK returns it.
func coded(code, message string) error {
	return &smithy.OperationError{ServiceID: "EC2", OperationName: "CreateVpc", Err: answered(400, &smithy.GenericAPIError{Code: code, Message: message})}
}

func answered(status int, err error) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Body: http.NoBody}}, Err: err,
	}}
}

func unsent(err error) error {
	return &smithy.OperationError{
		ServiceID: "EC2", OperationName: "CreateVpc",
		Err: &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "https://ec2.eu-central-1.amazonaws.com/", Err: err}},
	}
}

func TestExplain(t *testing.T) {
	provider := func(text string) error {
		return &api.CredentialsError{Profile: "work", Err: errors.New(text)}
	}
	tests := []struct {
		name  string
		err   error
		kind  api.Kind
		says  string
		hints string // part of one hint
	}{
		{"nothing", nil, "", "", ""},
		{
			"no credentials", &api.CredentialsError{Nowhere: true, Err: io.EOF}, api.KindCredentials,
			"no AWS credentials found", "run `aws configure`, or set AWS_PROFILE",
		},
		{
			"unknown profile",
			config.SharedConfigProfileNotExistError{Profile: "play"},
			api.KindCredentials,
			`there is no AWS profile "play"`, "aws configure list-profiles",
		},
		{
			"broken file",
			config.SharedConfigLoadError{Filename: "/home/a/.aws/config", Err: errors.New("line 3")},
			api.KindCredentials,
			"cannot read the AWS configuration file /home/a/.aws/config: line 3", "correct",
		},
		{
			"role without source",
			config.SharedConfigAssumeRoleError{Profile: "work", RoleARN: "arn:aws:iam::1:role/x", Err: errors.New("no source")},
			api.KindCredentials,
			"cannot assume the role arn:aws:iam::1:role/x", "source_profile",
		},
		{"role with MFA", config.AssumeRoleTokenProviderNotSetError{}, api.KindCredentials, "MFA", "export-credentials"},
		{
			"SSO ended", provider("refresh cached SSO token failed, unable to refresh SSO token"), api.KindCredentials,
			"the login of AWS profile work has expired", "run `aws sso login --profile work`",
		},
		{
			"login ended", provider("create oauth2 token: login session has expired, please reauthenticate"), api.KindCredentials,
			"the login of AWS profile work has expired", "run `aws login --profile work`",
		},
		{
			"role refused", &api.CredentialsError{Profile: "work", Err: &smithy.OperationError{
				ServiceID: "STS", OperationName: "AssumeRole",
				Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/x"},
			}},
			api.KindCredentials, "AWS profile work: AWS does not allow arn:aws:iam::1:user/a to do sts:AssumeRole on arn:aws:iam::1:role/x", "allow sts:AssumeRole",
		},
		{"other provider", provider("disk on fire"), api.KindCredentials, "profile work: disk on fire", "get-caller-identity --profile work"},
		{
			"expired", coded("ExpiredToken", "The security token included in the request is expired"), api.KindCredentials,
			"the AWS credentials have expired", "log in again",
		},
		{
			"clock", coded("InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z"), api.KindCredentials,
			"the clock of this computer is wrong", "five minutes",
		},
		{
			"wrong secret", coded("SignatureDoesNotMatch", "The request signature we calculated does not match"), api.KindCredentials,
			"does not accept the secret access key", "aws configure",
		},
		{
			"unknown key", coded("AuthFailure", "AWS was not able to validate the provided access credentials"), api.KindCredentials,
			"does not accept the credentials (AuthFailure)", "get-caller-identity",
		},
		{
			"denied", coded("UnauthorizedOperation", "You are not authorized to perform this operation. User: arn:aws:iam::1:user/a is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-central-1:1:vpc/* because no identity-based policy allows the ec2:CreateVpc action. Encoded authorization failure message: AbC-12"),
			api.KindPermission, "AWS does not allow arn:aws:iam::1:user/a to do ec2:CreateVpc on arn:aws:ec2:eu-central-1:1:vpc/*", "--encoded-message AbC-12",
		},
		{
			"denied by the organisation", coded("AccessDenied", "User: arn:aws:iam::1:user/a is not authorized to perform: iam:CreateRole on resource: r with an explicit deny in a service control policy"),
			api.KindPermission, "a service control policy forbids it", "about that service control policy",
		},
		{
			"denied without a word", coded("UnauthorizedOperation", "You are not authorized to perform this operation."), api.KindPermission,
			"AWS does not allow you to do ec2:CreateVpc", "allow ec2:CreateVpc",
		},
		{"no spot role", coded("AuthFailure.ServiceLinkedRoleCreationNotPermitted", ""), api.KindPermission, "service-linked role", "spot.amazonaws.com"},
		{
			"quota", coded("VpcLimitExceeded", "The maximum number of VPCs has been reached."), api.KindQuota,
			"quota of VPCs per Region is used up: The maximum", "/services/vpc/quotas/L-F678F1CE",
		},
		{"capacity", coded("InsufficientInstanceCapacity", "none left"), api.KindCapacity, "no free capacity for this now: none left", "more instance types"},
		{"throttled", coded("RequestLimitExceeded", "slow"), api.KindThrottled, "called less often (EC2 CreateVpc: RequestLimitExceeded)", "a minute"},
		{"new account", coded("PendingVerification", ""), api.KindAccount, "still verifying", "mail"},
		{"closed region", coded("OptInRequired", "You are not subscribed"), api.KindAccount, "not enabled", "enable the region"},
		{"blocked", coded("Blocked", "x"), api.KindAccount, "blocked", "support"},
		{"conflict", coded("DependencyViolation", "has dependencies"), api.KindConflict, "EC2 CreateVpc: DependencyViolation: has dependencies", ""},
		{
			"conflict, in other words around it", fmt.Errorf("gave up: %w; still there: eni-1", coded("DependencyViolation", "has dependencies")), api.KindConflict,
			"gave up: EC2 CreateVpc: DependencyViolation: has dependencies; still there: eni-1", "",
		},
		{"gone", coded("InvalidVpcID.NotFound", "vpc-1"), api.KindNotFound, "InvalidVpcID.NotFound: vpc-1", ""},
		{"refused", coded("InvalidParameterValue", "bad\n  value"), api.KindInvalid, "InvalidParameterValue: bad value", ""},
		{
			"no such host", unsent(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "ec2.xx-1.amazonaws.com", IsNotFound: true}}), api.KindNetwork,
			"the host name ec2.xx-1.amazonaws.com is not known", "region exists",
		},
		{
			"no route", unsent(&net.OpError{Op: "dial", Err: errors.New("connection refused")}), api.KindNetwork,
			"cannot reach ec2.eu-central-1.amazonaws.com: connection refused", "AWS_ENDPOINT_URL",
		},
		{"too slow", unsent(context.DeadlineExceeded), api.KindNetwork, "did not answer in time", "internet"},
		{
			"a portal answers",
			&smithy.OperationError{ServiceID: "EFS", OperationName: "PutBackupPolicy", Err: answered(403, &smithy.GenericAPIError{Code: "UnknownError", Message: "UnknownError"})},
			api.KindNetwork, "the endpoint of EFS answered something that AWS would not", "captive portal",
		},
		{"unreadable answer", answered(200, &smithy.DeserializationError{Err: io.EOF}), api.KindNetwork, "answered something", "proxy"},
		{"cancelled", context.Canceled, api.KindOther, "context canceled", ""},
		{"anything", errors.New("anything"), api.KindOther, "anything", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if kind := api.Classify(test.err); kind != test.kind {
				t.Errorf("kind %q, want %q", kind, test.kind)
			}
			message, hints := api.Explain(test.err)
			if !strings.Contains(message, test.says) || test.err != nil && message == "" || strings.Contains(message, "\n") {
				t.Errorf("says %q, want %q", message, test.says)
			}
			if !strings.Contains(strings.Join(hints, "\n"), test.hints) || (test.hints == "") != (len(hints) == 0) {
				t.Errorf("hints %q, want %q", hints, test.hints)
			}
		})
	}
}

func TestCodeSets(t *testing.T) {
	tests := []struct {
		is    func(error) bool
		yes   []string
		never []string
	}{
		{
			api.IsNotFound,
			[]string{"InvalidVpcID.NotFound", "InvalidInternetGatewayID.NotFound", "InvalidLaunchTemplateName.NotFoundException", "NoSuchEntity", "FileSystemNotFound", "MountTargetNotFound", "ParameterNotFound", "InvalidGroup.NotFound"},
			[]string{"", "DependencyViolation", "NotFound!"},
		},
		{api.IsDependency, []string{"DependencyViolation", "InvalidGroup.InUse", "DeleteConflict", "FileSystemInUse", "VolumeInUse"}, []string{"", "InvalidGroup.Duplicate"}},
		{api.IsBusy, []string{"IncorrectState", "IncorrectFileSystemLifeCycleState"}, []string{"", "DependencyViolation"}},
		{api.IsDuplicate, []string{"InvalidPermission.Duplicate", "EntityAlreadyExists", "MountTargetConflict", "Resource.AlreadyAssociated"}, []string{"", "VolumeInUse"}},
		{api.IsCapacity, []string{"InsufficientInstanceCapacity", "UnfulfillableCapacity"}, []string{"", "VcpuLimitExceeded", "InsufficientThroughputCapacity"}},
		{api.IsQuota, []string{"VcpuLimitExceeded", "MaxSpotInstanceCountExceeded", "LimitExceeded", "FileSystemLimitExceeded"}, []string{"", "RequestLimitExceeded"}},
		{api.IsThrottle, []string{"RequestLimitExceeded", "ThrottlingException", "TooManyRequests"}, []string{"", "VpcLimitExceeded"}},
		{api.IsDenied, []string{"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"}, []string{"", "ExpiredToken"}},
	}
	for i, test := range tests {
		for _, code := range test.yes {
			if !test.is(coded(code, "")) {
				t.Errorf("set %d lacks %s", i, code)
			}
		}
		for _, code := range test.never {
			if test.is(coded(code, "")) {
				t.Errorf("set %d has %q", i, code)
			}
		}
		if test.is(nil) || test.is(io.EOF) {
			t.Errorf("set %d takes errors without a code", i)
		}
	}
}
