package api

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kind says what sort of thing went wrong in a call.
type Kind string

// The kinds of errors.
const (
	KindCredentials Kind = "credentials" // who calls is not known to AWS
	KindPermission  Kind = "permission"  // the caller may not do that
	KindAccount     Kind = "account"     // the account or region is not enabled
	KindCapacity    Kind = "capacity"    // AWS has none left in that pool
	KindQuota       Kind = "quota"       // the account may not have more
	KindNotFound    Kind = "not-found"
	KindConflict    Kind = "conflict" // it exists already, something still uses it, or it is busy
	KindThrottled   Kind = "throttled"
	KindNetwork     Kind = "network" // AWS was not reached, or what answered was not AWS
	KindInvalid     Kind = "invalid" // AWS does not accept the request
	KindOther       Kind = "other"
)

// Classify returns the kind of an error; KindOther when it is not known, "" for nil.
func Classify(err error) Kind {
	switch code := Code(err); {
	case err == nil:
		return ""
	case isConfiguration(err) || credentialCodes.has(code):
		return KindCredentials
	case deniedCodes.has(code):
		return KindPermission
	case accountCodes.has(code):
		return KindAccount
	case IsCapacity(err):
		return KindCapacity
	case IsQuota(err):
		return KindQuota
	case IsThrottle(err):
		return KindThrottled
	case IsDependency(err) || IsDuplicate(err) || IsBusy(err):
		return KindConflict
	case IsNotFound(err):
		return KindNotFound
	case isNetwork(err):
		return KindNetwork
	case isClientFault(err):
		return KindInvalid
	default:
		return KindOther
	}
}

// isConfiguration reports that there are no credentials to call with.
func isConfiguration(err error) bool {
	_, credentials := errors.AsType[*CredentialsError](err)
	_, profile := errors.AsType[config.SharedConfigProfileNotExistError](err)
	_, file := errors.AsType[config.SharedConfigLoadError](err)
	_, role := errors.AsType[config.SharedConfigAssumeRoleError](err)
	_, mfa := errors.AsType[config.AssumeRoleTokenProviderNotSetError](err)
	return credentials || profile || file || role || mfa
}

// isNetwork reports that no answer of AWS came back. A wait that the user broke off is none of it.
func isNetwork(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	_, sending := errors.AsType[*smithyhttp.RequestSendError](err)
	_, garbage := errors.AsType[*smithy.DeserializationError](err)
	socket, ok := errors.AsType[net.Error](err)
	_, bare := socket.(syscall.Errno) // of a file: it has the methods of a net.Error too
	return sending || garbage || isGarbage(err) || ok && !bare || errors.Is(err, io.ErrUnexpectedEOF)
}

// isGarbage reports that an answer came which names no error code: a proxy or a captive portal, not AWS.
func isGarbage(err error) bool {
	code := Code(err)
	return Status(err) != 0 && (code == "" || code == "UnknownError")
}

func isClientFault(err error) bool {
	_, params := errors.AsType[smithy.InvalidParamsError](err)
	status := Status(err)
	return params || status >= 400 && status < 500
}

// Status returns the HTTP status of the answer that an error came with, or 0 when none came. The SDK wraps errors of the
// connection in a response error, too, whose response is empty.
func Status(err error) int {
	if e, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && e.Response != nil {
		return e.HTTPStatusCode()
	}
	return 0
}
