package sandbox

import (
	"strings"
	"testing"
)

// The product's whole conversation with AWS, by service.
const conversation = `
EC2: CreateVpc DescribeVpcs ModifyVpcAttribute DescribeVpcAttribute DeleteVpc CreateSubnet DescribeSubnets
EC2: ModifySubnetAttribute DeleteSubnet CreateInternetGateway AttachInternetGateway DetachInternetGateway
EC2: DescribeInternetGateways DeleteInternetGateway CreateRouteTable CreateRoute DeleteRoute AssociateRouteTable
EC2: DisassociateRouteTable DescribeRouteTables DeleteRouteTable CreateSecurityGroup AuthorizeSecurityGroupIngress
EC2: AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress DescribeSecurityGroups
EC2: DescribeSecurityGroupRules DeleteSecurityGroup DescribeAvailabilityZones DescribeRegions DescribeInstanceTypes
EC2: DescribeInstanceTypeOfferings DescribeSpotPriceHistory GetSpotPlacementScores DescribeImages DescribeKeyPairs
EC2: CreateKeyPair ImportKeyPair DeleteKeyPair RunInstances DescribeInstances DescribeInstanceStatus TerminateInstances
EC2: StopInstances StartInstances ModifyInstanceAttribute DescribeInstanceAttribute GetConsoleOutput
EC2: DescribeSpotInstanceRequests CancelSpotInstanceRequests CreateVolume DescribeVolumes AttachVolume DetachVolume
EC2: DeleteVolume ModifyVolume CreateTags DeleteTags DescribeTags DescribeNetworkInterfaces DeleteNetworkInterface
EC2: CreateVpcEndpoint DescribeVpcEndpoints DeleteVpcEndpoints DescribeAddresses DescribeNatGateways
EC2: DescribeVpcPeeringConnections DescribeNetworkAcls CreateManagedPrefixList GetManagedPrefixListEntries
Elastic Load Balancing v2: DescribeLoadBalancers DescribeTags
EFS: CreateFileSystem DescribeFileSystems DeleteFileSystem PutBackupPolicy DescribeBackupPolicy PutFileSystemPolicy
EFS: DescribeFileSystemPolicy PutLifecycleConfiguration DescribeLifecycleConfiguration CreateMountTarget
EFS: DescribeMountTargets DescribeMountTargetSecurityGroups DeleteMountTarget ListTagsForResource TagResource
IAM: CreateRole GetRole ListRoles ListRoleTags DeleteRole AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies
IAM: PutRolePolicy GetRolePolicy ListRolePolicies DeleteRolePolicy CreateInstanceProfile GetInstanceProfile
IAM: ListInstanceProfiles ListInstanceProfileTags ListInstanceProfilesForRole AddRoleToInstanceProfile
IAM: RemoveRoleFromInstanceProfile DeleteInstanceProfile
SSM: GetParameter GetParameters PutParameter DeleteParameter DescribeParameters GetParametersByPath ListTagsForResource
SSM: AddTagsToResource DescribeInstanceInformation SendCommand GetCommandInvocation CancelCommand
SSM: StartSession TerminateSession
STS: GetCallerIdentity DecodeAuthorizationMessage
Pricing: GetProducts
Service Quotas: GetServiceQuota GetAWSDefaultServiceQuota ListServiceQuotas
`

func TestEveryOperationOfTheProductIsAnswered(t *testing.T) {
	known := operations()
	wanted := 0
	for line := range strings.Lines(strings.TrimSpace(conversation)) {
		service, names, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for name := range strings.FieldsSeq(names) {
			wanted++
			if known[service+"."+name] == nil {
				t.Errorf("%s %s is not answered", service, name)
			}
		}
	}
	if wanted != len(known) {
		t.Errorf("%d operations are listed, %d are answered", wanted, len(known))
	}
}
