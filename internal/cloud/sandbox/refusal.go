package sandbox

import (
	"errors"
	"fmt"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// refusal is an error answer of a service, before it is dressed as the SDK would deserialise it.
type refusal struct {
	status  int
	code    string
	message string
	typed   error // set where the modelled exception carries more than a message
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

// refuse makes the answer with this error code. The HTTP status follows from the code.
func refuse(code, format string, args ...any) error {
	return &refusal{code: code, message: fmt.Sprintf(format, args...)}
}

// wire turns an error of a handler into what the SDK's deserialisers would have returned for it.
func wire(service, requestID string, err error) error {
	refused, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	status := refused.status
	if status == 0 {
		status = statusOf(service, refused.code)
	}
	inner := refused.typed
	if inner == nil {
		inner = modelled(service, refused.code, refused.message)
	}
	if inner == nil {
		inner = &smithy.GenericAPIError{Code: refused.code, Message: refused.message}
	}
	response := &http.Response{
		StatusCode: status,
		Header:     http.Header{"X-Amzn-Requestid": {requestID}},
		Body:       http.NoBody,
	}
	return &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: response}, Err: inner},
		RequestID:     requestID,
	}
}

// statusOf returns the HTTP status that comes with an error code: the EC2 page "Error codes" tells server errors (5xx, which
// the SDK repeats) from client errors, the EFS and IAM models give the status of each exception, and the JSON services
// (Systems Manager, Service Quotas, Price List) answer 400 to everything.
func statusOf(service, code string) int {
	switch code {
	case "InsufficientInstanceCapacity", "InsufficientAddressCapacity", "InsufficientVolumeCapacity",
		"InsufficientHostCapacity", "InternalError", "InternalFailure", "InternalServerError", "ServiceFailure":
		return http.StatusInternalServerError
	case "RequestLimitExceeded", "Unavailable", "ServiceUnavailable", "InsufficientThroughputCapacity":
		return http.StatusServiceUnavailable
	case "DependencyTimeout":
		return http.StatusGatewayTimeout
	case "DryRunOperation":
		return http.StatusPreconditionFailed
	case "AuthFailure", "OptInRequired":
		return http.StatusUnauthorized
	case "UnauthorizedOperation", "AccessDenied", "InvalidClientTokenId", "ExpiredToken", "FileSystemLimitExceeded":
		return http.StatusForbidden
	case "FileSystemNotFound", "MountTargetNotFound", "PolicyNotFound", "NoSuchEntity":
		return http.StatusNotFound
	case "FileSystemAlreadyExists", "FileSystemInUse", "IncorrectFileSystemLifeCycleState", "MountTargetConflict",
		"NoFreeAddressesInSubnet", "IpAddressInUse", "IncorrectMountTargetState",
		"EntityAlreadyExists", "DeleteConflict", "LimitExceeded", "ConcurrentModification":
		return http.StatusConflict
	case "AccessDeniedException":
		if service == serviceEFS {
			return http.StatusForbidden
		}
	case "ThrottlingException", "TooManyRequests":
		if service == serviceEFS {
			return http.StatusTooManyRequests
		}
	}
	return http.StatusBadRequest
}
