package sandbox

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func registerInstanceAttributes(all map[string]operation) {
	on(all, serviceEC2, "ModifyInstanceAttribute", modifyInstanceAttribute)
	on(all, serviceEC2, "DescribeInstanceAttribute", describeInstanceAttribute)
}

// modifyInstanceAttribute changes one attribute. Type and user data need a stopped instance (EC2 API reference,
// ModifyInstanceAttribute).
func modifyInstanceAttribute(c *call, in *ec2.ModifyInstanceAttributeInput) (*ec2.ModifyInstanceAttributeOutput, error) {
	i, err := find(c, instanceKind, c.region.Instances, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if i.ended() {
		return nil, refuse("IncorrectInstanceState", "The instance '%s' is not in a state in which it can be modified.", i.ID)
	}
	if (in.UserData != nil || in.InstanceType != nil) && i.state(c.now) != ec2types.InstanceStateNameStopped {
		return nil, refuse("IncorrectInstanceState", "The instance '%s' is not in the 'stopped' state.", i.ID)
	}
	switch {
	case in.DisableApiTermination != nil:
		if i.SpotRequest != "" && deref(in.DisableApiTermination.Value) {
			return nil, refuse("UnsupportedOperation", "Termination protection is not supported for Spot Instances")
		}
		i.Protected = deref(in.DisableApiTermination.Value)
	case in.InstanceInitiatedShutdownBehavior != nil:
		i.OnShutdown = deref(in.InstanceInitiatedShutdownBehavior.Value)
	case in.UserData != nil:
		if len(in.UserData.Value) > maxUserData {
			return nil, refuse("InvalidParameterValue", "User data is limited to 16384 bytes")
		}
		i.UserData = base64.StdEncoding.EncodeToString(in.UserData.Value)
	case in.InstanceType != nil:
		t, known := typeNamed(deref(in.InstanceType.Value))
		if !known {
			return nil, refuse("InvalidParameterValue", "Invalid value '%s' for InstanceType.", deref(in.InstanceType.Value))
		}
		i.Type = t.name
	case len(in.Groups) > 0:
		groups, err := c.groupsFor(in.Groups, i.VPC)
		if err != nil {
			return nil, err
		}
		if e := c.region.Interfaces[i.Interface]; e != nil {
			e.Groups = groups
		}
	case in.SourceDestCheck == nil:
		return nil, refuse("MissingParameter", "The request must contain an attribute to modify")
	}
	return &ec2.ModifyInstanceAttributeOutput{}, nil
}

func describeInstanceAttribute(c *call, in *ec2.DescribeInstanceAttributeInput) (*ec2.DescribeInstanceAttributeOutput, error) {
	i, err := find(c, instanceKind, c.region.Instances, in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstanceAttributeOutput{InstanceId: new(i.ID)}
	switch in.Attribute {
	case ec2types.InstanceAttributeNameDisableApiTermination:
		out.DisableApiTermination = &ec2types.AttributeBooleanValue{Value: new(i.Protected)}
	case ec2types.InstanceAttributeNameUserData:
		out.UserData = &ec2types.AttributeValue{}
		if i.UserData != "" {
			out.UserData.Value = new(i.UserData)
		}
	case ec2types.InstanceAttributeNameInstanceType:
		out.InstanceType = &ec2types.AttributeValue{Value: new(i.Type)}
	case ec2types.InstanceAttributeNameInstanceInitiatedShutdownBehavior:
		out.InstanceInitiatedShutdownBehavior = &ec2types.AttributeValue{Value: new(i.OnShutdown)}
	case ec2types.InstanceAttributeNameRootDeviceName:
		out.RootDeviceName = &ec2types.AttributeValue{Value: new(i.RootDevice)}
	case ec2types.InstanceAttributeNameGroupSet:
		if e := c.region.Interfaces[i.Interface]; e != nil {
			out.Groups = c.groupIdentifiers(e.Groups)
		}
	case ec2types.InstanceAttributeNameSourceDestCheck:
		out.SourceDestCheck = &ec2types.AttributeBooleanValue{Value: new(true)}
	default:
		return nil, refuse("InvalidParameterValue", "The sandbox does not know the instance attribute '%s'", in.Attribute)
	}
	return out, nil
}
