package api

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// codes are error codes of AWS, or names of operations.
type codes []string

func (c codes) has(code string) bool { return slices.Contains(c, code) }

// Code returns the error code that AWS gave ("InvalidVpcID.NotFound"), or "" when the error is not an answer of AWS.
func Code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

// Message returns the text that AWS gave with an error code, or "".
func Message(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorMessage()
	}
	return ""
}

// EC2 names most of them after the resource with the suffix .NotFound (EC2 API reference, "Error codes"); the rest is from
// the models of EFS, IAM, Systems Manager and Service Quotas.
func notFound(code string) bool {
	return strings.HasSuffix(code, ".NotFound") || strings.HasSuffix(code, ".NotFoundException") || notFoundCodes.has(code)
}

var notFoundCodes = codes{
	"NatGatewayNotFound",
	"FileSystemNotFound", "MountTargetNotFound", "AccessPointNotFound", "PolicyNotFound", "SubnetNotFound", "SecurityGroupNotFound",
	"NoSuchEntity", "NoSuchEntityException",
	"ParameterNotFound", "ParameterVersionNotFound", "InvocationDoesNotExist",
	"NoSuchResourceException", "ResourceNotFoundException",
}

// IsNotFound reports that AWS says that the resource of the call, or one that it names, does not exist. Shortly after a
// create it may mean "not known here yet" (EC2 developer guide, "Eventual consistency").
func IsNotFound(err error) bool { return notFound(Code(err)) }

var dependencyCodes = codes{
	"DependencyViolation", "InvalidGroup.InUse", "InvalidNetworkInterface.InUse", "VolumeInUse", "InvalidIPAddress.InUse",
	"DeleteConflict", "DeleteConflictException", "FileSystemInUse",
}

// IsDependency reports that AWS refuses because something else still uses the resource. It passes when that goes.
func IsDependency(err error) bool { return dependencyCodes.has(Code(err)) }

var busyCodes = codes{
	"IncorrectFileSystemLifeCycleState", "IncorrectMountTargetState", "IncorrectState", "IncorrectInstanceState",
	"ConcurrentModification", "ConcurrentModificationException",
}

// IsBusy reports that AWS refuses because the resource, or one that the call names, is between two states. It passes.
func IsBusy(err error) bool { return busyCodes.has(Code(err)) }

// InvalidSubnet.Conflict is among them although it has two readings: CreateSubnet takes no token, and a repetition answers
// with it.
var duplicateCodes = codes{
	"EntityAlreadyExists", "EntityAlreadyExistsException", "FileSystemAlreadyExists", "AccessPointAlreadyExists",
	"MountTargetConflict", "ParameterAlreadyExists", "InvalidSubnet.Conflict", "RouteAlreadyExists", "Resource.AlreadyAssociated",
	"InvalidLaunchTemplateName.AlreadyExistsException",
}

// IsDuplicate reports that AWS refuses because such a thing exists already, which may be ours.
func IsDuplicate(err error) bool {
	code := Code(err)
	return strings.HasSuffix(code, ".Duplicate") || duplicateCodes.has(code)
}

// EC2 sends the Insufficient*Capacity codes with HTTP status 500 (EC2 API reference, "Error codes", server errors).
var capacityCodes = codes{
	"InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientCapacity", "InsufficientReservedInstanceCapacity",
	"InsufficientVolumeCapacity", "InsufficientAddressCapacity", "UnfulfillableCapacity",
	"SpotMaxPriceTooLow", "capacity-not-available", "price-too-low",
}

// IsCapacity reports that AWS has none of what was asked for in that pool now. Another zone, type or market may do.
func IsCapacity(err error) bool { return capacityCodes.has(Code(err)) }

// quota is a limit of an account, as the Service Quotas console shows it, with the error code by which AWS refuses more.
type quota struct{ refusal, name, service, code string }

// The quotas behind error codes (Amazon VPC user guide, "Amazon VPC quotas"; Service Quotas console for the others). An
// empty code means that the quota differs by case.
var quotas = []quota{
	{"VpcLimitExceeded", "VPCs per Region", "vpc", "L-F678F1CE"},
	{"InternetGatewayLimitExceeded", "internet gateways per Region", "vpc", "L-A4707A72"},
	{"SubnetLimitExceeded", "subnets per VPC", "vpc", "L-407747CB"},
	{"RouteTableLimitExceeded", "route tables per VPC", "vpc", "L-589F43AA"},
	{"RouteLimitExceeded", "routes per route table", "vpc", "L-93826ACB"},
	{"SecurityGroupLimitExceeded", "security groups per Region", "vpc", "L-E79EC296"},
	{"RulesPerSecurityGroupLimitExceeded", "rules per security group", "vpc", "L-0EA8095F"},
	{"SecurityGroupsPerInterfaceLimitExceeded", "security groups per network interface", "vpc", "L-2AFB9258"},
	{"NetworkInterfaceLimitExceeded", "network interfaces per Region", "vpc", "L-DF5E4CA3"},
	{"NatGatewayLimitExceeded", "NAT gateways per zone", "vpc", "L-FE5A380F"},
	{"AddressLimitExceeded", "Elastic IP addresses", "ec2", "L-0263D0A3"},
	{"VcpuLimitExceeded", "vCPUs of running on-demand instances", "ec2", ""},
	{"InstanceLimitExceeded", "running instances", "ec2", ""},
	{"MaxSpotInstanceCountExceeded", "vCPUs of spot instances", "ec2", ""},
	{"MaxFleetCountExceeded", "EC2 fleets", "ec2", ""},
	{"VolumeLimitExceeded", "EBS storage", "ebs", ""},
	{"MaxIOPSLimitExceeded", "EBS IOPS", "ebs", ""},
	{"FileSystemLimitExceeded", "EFS file systems", "elasticfilesystem", "L-848C634D"},
	{"ThroughputLimitExceeded", "EFS throughput", "elasticfilesystem", ""},
	{"LimitExceeded", "IAM quota", "iam", ""},
	{"ParameterLimitExceeded", "parameters per Region", "ssm", ""},
}

func quotaOf(code string) (quota, bool) {
	i := slices.IndexFunc(quotas, func(q quota) bool { return q.refusal == code })
	if i < 0 {
		return quota{}, false
	}
	return quotas[i], true
}

// IsQuota reports that the account may not have more of what was asked for.
func IsQuota(err error) bool {
	_, ok := quotaOf(Code(err))
	return ok
}

// The codes that the SDK takes for throttling (aws-sdk-go-v2, aws/retry, DefaultThrottleErrorCodes), without
// LimitExceededException, and EFS's TooManyRequests.
var throttleCodes = codes{
	"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled",
	"TooManyRequestsException", "TooManyRequests", "TooManyUpdates", "RequestLimitExceeded", "BandwidthLimitExceeded", "SlowDown",
	"PriorRequestNotComplete", "TransactionInProgressException", "EC2ThrottledException",
}

// IsThrottle reports that AWS asks to be called less often.
func IsThrottle(err error) bool { return throttleCodes.has(Code(err)) }

var deniedCodes = codes{
	"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
}

// IsDenied reports that the caller has no permission for the call.
func IsDenied(err error) bool { return deniedCodes.has(Code(err)) }

var credentialCodes = codes{
	"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException",
	"AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "MissingAuthenticationToken",
	"MissingAuthenticationTokenException", "RequestTimeTooSkewed", "InvalidToken", "InvalidGrantException", "InvalidAccessKeyId",
}

// account codes: the account itself is not ready.
var accountCodes = codes{"OptInRequired", "Blocked", "PendingVerification", "SubscriptionRequiredException"}
