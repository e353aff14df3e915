package sandbox

import (
	"errors"

	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	pricingtypes "github.com/aws/aws-sdk-go-v2/service/pricing/types"
	quotatypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
)

// modelled returns the typed exception that the SDK deserialises for an error code of a service, or nil where the service's
// model has none. EC2 models no errors at all.
func modelled(service, code, message string) error {
	for _, exception := range exceptions(service, message) {
		if api, ok := errors.AsType[smithy.APIError](exception); ok && api.ErrorCode() == code {
			return exception
		}
	}
	return nil
}

func exceptions(service, message string) []error {
	switch service {
	case serviceEFS:
		return efsExceptions(message)
	case serviceIAM:
		return iamExceptions(message)
	case serviceSSM:
		return ssmExceptions(message)
	case servicePricing:
		return []error{
			&pricingtypes.InvalidNextTokenException{Message: &message},
			&pricingtypes.InvalidParameterException{Message: &message},
			&pricingtypes.NotFoundException{Message: &message},
			&pricingtypes.ThrottlingException{Message: &message},
		}
	case serviceQuotas:
		return []error{
			&quotatypes.AccessDeniedException{Message: &message},
			&quotatypes.NoSuchResourceException{Message: &message},
			&quotatypes.TooManyRequestsException{Message: &message},
		}
	}
	return nil
}

func efsExceptions(message string) []error {
	return []error{
		&efstypes.BadRequest{Message: &message},
		&efstypes.DependencyTimeout{Message: &message},
		&efstypes.FileSystemAlreadyExists{Message: &message},
		&efstypes.FileSystemInUse{Message: &message},
		&efstypes.FileSystemLimitExceeded{Message: &message},
		&efstypes.FileSystemNotFound{Message: &message},
		&efstypes.IncorrectFileSystemLifeCycleState{Message: &message},
		&efstypes.IncorrectMountTargetState{Message: &message},
		&efstypes.InsufficientThroughputCapacity{Message: &message},
		&efstypes.InternalServerError{Message: &message},
		&efstypes.InvalidPolicyException{Message: &message},
		&efstypes.IpAddressInUse{Message: &message},
		&efstypes.MountTargetConflict{Message: &message},
		&efstypes.MountTargetNotFound{Message: &message},
		&efstypes.NetworkInterfaceLimitExceeded{Message: &message},
		&efstypes.NoFreeAddressesInSubnet{Message: &message},
		&efstypes.PolicyNotFound{Message: &message},
		&efstypes.SecurityGroupLimitExceeded{Message: &message},
		&efstypes.SecurityGroupNotFound{Message: &message},
		&efstypes.SubnetNotFound{Message: &message},
		&efstypes.ThrottlingException{Message: &message},
		&efstypes.TooManyRequests{Message: &message},
		&efstypes.UnsupportedAvailabilityZone{Message: &message},
		&efstypes.ValidationException{Message: &message},
	}
}

func iamExceptions(message string) []error {
	return []error{
		&iamtypes.ConcurrentModificationException{Message: &message},
		&iamtypes.DeleteConflictException{Message: &message},
		&iamtypes.EntityAlreadyExistsException{Message: &message},
		&iamtypes.InvalidInputException{Message: &message},
		&iamtypes.LimitExceededException{Message: &message},
		&iamtypes.MalformedPolicyDocumentException{Message: &message},
		&iamtypes.NoSuchEntityException{Message: &message},
		&iamtypes.ServiceFailureException{Message: &message},
		&iamtypes.UnmodifiableEntityException{Message: &message},
	}
}

func ssmExceptions(message string) []error {
	return []error{
		&ssmtypes.DoesNotExistException{Message: &message},
		&ssmtypes.InternalServerError{Message: &message},
		&ssmtypes.InvalidCommandId{Message: &message},
		&ssmtypes.InvalidDocument{Message: &message},
		&ssmtypes.InvalidFilterKey{Message: &message},
		&ssmtypes.InvalidInstanceId{Message: &message},
		&ssmtypes.InvalidNextToken{Message: &message},
		&ssmtypes.InvalidParameters{Message: &message},
		&ssmtypes.InvalidPluginName{Message: &message},
		&ssmtypes.InvalidResourceId{Message: &message},
		&ssmtypes.InvalidResourceType{Message: &message},
		&ssmtypes.InvocationDoesNotExist{Message: &message},
		&ssmtypes.ParameterAlreadyExists{Message: &message},
		&ssmtypes.ParameterLimitExceeded{Message: &message},
		&ssmtypes.ParameterNotFound{Message: &message},
		&ssmtypes.TargetNotConnected{Message: &message},
		&ssmtypes.ThrottlingException{Message: &message},
		&ssmtypes.TooManyUpdates{Message: &message},
		&ssmtypes.ValidationException{Message: &message},
	}
}
