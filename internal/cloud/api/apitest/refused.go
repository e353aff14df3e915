package apitest

import "github.com/aws/smithy-go"

// Refused is the error of a call that AWS has refused.
func Refused(service, operation, code, message string) error {
	return &smithy.OperationError{ServiceID: service, OperationName: operation, Err: &smithy.GenericAPIError{Code: code, Message: message}}
}
