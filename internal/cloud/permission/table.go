package permission

import (
	"slices"
	"strings"
)

// The services, as the SDK names them.
const (
	ec2     = "EC2"
	efs     = "EFS"
	iam     = "IAM"
	ssm     = "SSM"
	sts     = "STS"
	pricing = "Pricing"
	quotas  = "Service Quotas"
	elb     = "Elastic Load Balancing v2"
)

// prefix is how IAM names a service (Service authorization reference).
func prefix(service string) string {
	switch service {
	case efs:
		return "elasticfilesystem"
	case quotas:
		return "servicequotas"
	case elb:
		return "elasticloadbalancing"
	default:
		return strings.ToLower(service)
	}
}

// always are all three purposes.
var always = []Purpose{Deploy, Operate, Destroy}

// Operations lists every operation that geusemaker calls, by service and name: twice where two purposes need it differently.
func Operations() []Operation { return operations(whole()) }

// operations are those of deployments that may reuse what r names.
func operations(r Reuse) []Operation {
	all := slices.Concat(networkOperations(r), machineOperations(r), fileOperations(r), identityOperations(), managementOperations(), marketOperations())
	for i := range all {
		all[i].Moto = !slices.Contains(sandboxOnly(), all[i].Name)
	}
	slices.SortStableFunc(all, func(a, b Operation) int {
		return strings.Compare(a.Service+" "+a.Name, b.Service+" "+b.Name)
	})
	return all
}

// sandboxOnly names what only the pretend account is asked: moto lacks it, or no life over HTTP leads to it. The judges hold
// this against what moto answers.
func sandboxOnly() []string {
	return []string{
		"GetProducts", "GetAWSDefaultServiceQuota", "DescribeInstanceInformation", "PutBackupPolicy", "GetSpotPlacementScores",
		"CancelSpotInstanceRequests", "DescribeInstanceTypes", "DescribeKeyPairs", "DescribeNetworkInterfaces", "DescribeVpcEndpoints",
		"DetachVolume", "ModifyInstanceAttribute", "RevokeSecurityGroupIngress", "StartSession", "TerminateSession",
		"DescribeVpcAttribute", "DescribeNatGateways", "DescribeNetworkAcls", "DescribeBackupPolicy", "DescribeFileSystemPolicy",
		"DescribeMountTargetSecurityGroups", "DescribeLoadBalancers", "DescribeTags", "DescribeSecurityGroupRules", "CreateVpcEndpoint",
		"DeleteVpcEndpoints", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress", "DecodeAuthorizationMessage",
		"GetManagedPrefixListEntries",
	}
}

// row is an operation with all that it asks for.
func row(service, operation string, purposes []Purpose, why string, of ...asks) Operation {
	o := Operation{Service: service, Name: operation, Purposes: purposes, Why: why}
	for _, one := range of {
		o.grants = append(o.grants, one(prefix(service)+":"+operation)...)
	}
	return o
}

func on(purposes ...Purpose) []Purpose { return purposes }

func networkOperations(r Reuse) []Operation {
	return []Operation{
		row(ec2, "CreateVpc", on(Deploy), "make the network; first as a dry run", makes("vpc")),
		row(ec2, "DescribeVpcAttribute", on(Deploy, Operate), "know whether a network resolves names", reads),
		row(ec2, "DescribeNatGateways", on(Deploy), "tell which networks reach the internet", reads),
		row(ec2, "DescribeNetworkAcls", on(Deploy), "tell what networks let through", reads),
		row(ec2, "ModifyVpcAttribute", on(Deploy), "let names be resolved in the network", owns("vpc")),
		row(ec2, "DescribeVpcs", always, "find the network and free address ranges", reads),
		row(ec2, "DeleteVpc", on(Destroy), "delete the network", owns("vpc")),
		row(ec2, "CreateSubnet", on(Deploy), "make the subnets", makes("subnet"), owns("vpc")),
		row(ec2, "ModifySubnetAttribute", on(Deploy), "give machines in public subnets an address", owns("subnet")),
		row(ec2, "DescribeSubnets", always, "find the subnets", reads),
		row(ec2, "DeleteSubnet", on(Destroy), "delete the subnets", owns("subnet")),
		row(ec2, "CreateInternetGateway", on(Deploy), "make the way to the internet; first as a dry run", makes("internet-gateway")),
		row(ec2, "AttachInternetGateway", on(Deploy), "join it with the network", owns("internet-gateway", "vpc")),
		row(ec2, "DescribeInternetGateways", always, "find the gateway", reads),
		row(ec2, "DetachInternetGateway", on(Destroy), "part it from the network", owns("internet-gateway", "vpc")),
		row(ec2, "DeleteInternetGateway", on(Destroy), "delete the gateway", owns("internet-gateway")),
		row(ec2, "CreateRouteTable", on(Deploy), "make the routes of the public subnets", makes("route-table"), owns("vpc")),
		row(ec2, "CreateRoute", on(Deploy), "lead to the internet", owns("route-table")),
		row(ec2, "AssociateRouteTable", on(Deploy), "give the public subnets their routes", owns("route-table", "subnet")),
		row(ec2, "DescribeRouteTables", always, "find the routes", reads),
		row(ec2, "DisassociateRouteTable", on(Destroy), "take the routes from the subnets", owns("route-table", "subnet")),
		row(ec2, "DeleteRouteTable", on(Destroy), "delete the routes", owns("route-table")),
		row(ec2, "CreateSecurityGroup", on(Deploy), "make the groups that say who may connect; first as a dry run", makes("security-group"), owns("vpc"), r.vpc()),
		row(ec2, "AuthorizeSecurityGroupIngress", on(Deploy), "let in who is meant to be", makes("security-group-rule"), owns("security-group"), r.ingress()),
		row(ec2, "AuthorizeSecurityGroupEgress", on(Deploy), "let out what has to go out", makes("security-group-rule"), owns("security-group"), r.egress()),
		row(ec2, "DescribeSecurityGroupRules", always, "compare the rules with what they should be", reads),
		row(ec2, "RevokeSecurityGroupEgress", on(Deploy, Destroy), "let nothing else out; remove rules that refer to a group that goes", owns("security-group")),
		row(ec2, "RevokeSecurityGroupEgress", on(Destroy), "take the rules that were added to a group of the user's out again", r.egress()),
		row(ec2, "DescribeSecurityGroups", always, "find the groups, and what refers to them", reads),
		row(ec2, "RevokeSecurityGroupIngress", on(Destroy), "remove rules that refer to a group that goes, and those that were added to a group of the user's", owns("security-group"), r.ingress()),
		row(ec2, "DeleteSecurityGroup", on(Destroy), "delete the groups", owns("security-group")),
		row(ec2, "DescribeNetworkInterfaces", on(Destroy), "name what stands in the way of a delete", reads),
		row(ec2, "GetManagedPrefixListEntries", on(Deploy), "read the blocks that rules and routes name by a prefix list", reads),
		row(ec2, "CreateVpcEndpoint", on(Deploy), "keep the traffic to S3 inside AWS", makes("vpc-endpoint"), owns("vpc", "route-table")),
		row(ec2, "DescribeVpcEndpoints", always, "find the endpoint, and name what stands in the way of a delete", reads),
		row(ec2, "DeleteVpcEndpoints", on(Destroy), "delete the endpoint", owns("vpc-endpoint")),
		row(ec2, "DescribeVpcPeeringConnections", on(Deploy), "choose addresses that no neighbour has", reads),
	}
}

func machineOperations(r Reuse) []Operation {
	spot := when("ServiceRoles", worldwide(using()), condition{"StringEquals", "iam:AWSServiceName", []string{"spot.amazonaws.com"}})
	return []Operation{
		row(ec2, "RunInstances", on(Deploy), "launch the machine; first as a dry run",
			makes("instance", "volume", "network-interface", "spot-instances-request"), owns("subnet", "security-group"),
			r.subnets(), r.group(), r.keyPair(), uses(ec2ARNs([]string{"image"})...),
			also("iam:PassRole", under(passing(), ownRoles)),
			also("iam:CreateServiceLinkedRole", under(spot, "iam::*:role/aws-service-role/*"))),
		row(ec2, "DescribeInstances", always, "see the machine, and how much of the quotas is used", reads),
		row(ec2, "GetConsoleOutput", on(Operate), "read the boot log of a machine that cannot be asked", owns("instance")),
		row(ec2, "ModifyInstanceAttribute", on(Destroy), "lift a protection against termination", owns("instance")),
		row(ec2, "TerminateInstances", on(Destroy), "delete the machine", owns("instance")),
		row(ec2, "CancelSpotInstanceRequests", on(Destroy), "end the request of a spot machine", owns("spot-instances-request")),
		row(ec2, "CreateVolume", on(Deploy), "make the disk of the databases", makes("volume")),
		row(ec2, "AttachVolume", on(Deploy), "give the disk to the machine", owns("instance", "volume")),
		row(ec2, "DescribeVolumes", always, "find the disk", reads),
		row(ec2, "DetachVolume", on(Destroy), "take the disk from a machine that lives on", owns("instance", "volume")),
		row(ec2, "DeleteVolume", on(Destroy), "delete the disk", owns("volume")),
	}
}

func fileOperations(r Reuse) []Operation {
	backup := when("ServiceRoles", worldwide(using()), condition{"StringEquals", "iam:AWSServiceName", []string{"backup.amazonaws.com"}})
	files := when("ServiceRoles", worldwide(using()), condition{"StringEquals", "iam:AWSServiceName", []string{"elasticfilesystem.amazonaws.com"}})
	ours := under(owning(), fileSystems)
	return []Operation{
		row(efs, "CreateFileSystem", on(Deploy), "make the file system", under(making(), "*"),
			also("elasticfilesystem:TagResource", under(tagging("TagFiles", "elasticfilesystem", "CreateFileSystem"), fileSystems)),
			also("iam:CreateServiceLinkedRole", under(files, "iam::*:role/aws-service-role/*"))),
		row(efs, "PutBackupPolicy", on(Deploy), "let AWS Backup keep a copy a day", ours,
			also("iam:CreateServiceLinkedRole", under(backup, "iam::*:role/aws-service-role/*"))),
		row(efs, "PutFileSystemPolicy", on(Deploy), "refuse clients without TLS", ours),
		row(efs, "DescribeFileSystems", always, "find the file system, and its size", reads),
		row(efs, "DescribeBackupPolicy", on(Operate), "compare the file system with what it should be", reads),
		row(efs, "DescribeFileSystemPolicy", on(Operate), "compare the file system with what it should be", reads),
		row(efs, "DescribeMountTargetSecurityGroups", on(Operate), "compare the mount targets with what they should be", reads),
		row(efs, "DeleteFileSystem", on(Destroy), "delete the file system", ours),
		// EFS makes and deletes the network interface of a mount target in the caller's name (EFS API reference,
		// CreateMountTarget and DeleteMountTarget). It bears no tag of ours.
		row(efs, "CreateMountTarget", on(Deploy), "let the network reach the file system", ours, r.files(),
			also("ec2:CreateNetworkInterface", uses(ec2ARNs([]string{"network-interface"})...)),
			also("ec2:CreateNetworkInterface", owns("subnet", "security-group")), also("ec2:CreateNetworkInterface", r.subnets()),
			also("ec2:DescribeSubnets", reads), also("ec2:DescribeNetworkInterfaces", reads)),
		row(efs, "DescribeMountTargets", always, "find the mount targets", reads),
		row(efs, "DeleteMountTarget", on(Destroy), "delete the mount targets", ours, r.files(),
			also("ec2:DeleteNetworkInterface", uses(ec2ARNs([]string{"network-interface"})...))),
	}
}

// passing allows a role to be given to machines only.
func passing() guard {
	return when("PassRole", worldwide(using()), condition{"StringEquals", "iam:PassedToService", []string{"ec2.amazonaws.com"}})
}

func identityOperations() []Operation {
	tagged, plain := worldwide(making()), worldwide(using())
	managed := when("AttachPolicy", plain, condition{"ArnLike", "iam:PolicyARN", []string{"arn:*:iam::aws:policy/AmazonSSMManagedInstanceCore"}})
	role, profile := under(plain, ownRoles, goneRoles), under(plain, ownProfiles, goneProfiles)
	return []Operation{
		row(iam, "CreateRole", on(Deploy), "make the machine's identity", under(tagged, ownRoles), also("iam:TagRole", under(tagged, ownRoles))),
		row(iam, "AttachRolePolicy", on(Deploy), "let Systems Manager manage the machine", under(managed, ownRoles)),
		row(iam, "PutRolePolicy", on(Deploy), "let the machine use its files and its secrets", under(plain, ownRoles)),
		row(iam, "CreateInstanceProfile", on(Deploy), "let machines take the role", under(tagged, ownProfiles), also("iam:TagInstanceProfile", under(tagged, ownProfiles))),
		row(iam, "AddRoleToInstanceProfile", on(Deploy), "let machines take the role", under(plain, ownProfiles), also("iam:PassRole", under(passing(), ownRoles))),
		row(iam, "GetRole", always, "find the role", role),
		row(iam, "GetRolePolicy", always, "find the role's own policy", role),
		row(iam, "GetInstanceProfile", always, "find the profile", profile),
		row(iam, "ListRoles", always, "find the roles under our path", readsGlobally),
		row(iam, "ListRoleTags", always, "see whose a role is", role),
		row(iam, "ListRolePolicies", always, "find the policies of a role", role),
		row(iam, "ListAttachedRolePolicies", on(Operate, Destroy), "find the policies of a role", role),
		row(iam, "ListInstanceProfiles", always, "find the profiles under our path", readsGlobally),
		row(iam, "ListInstanceProfilesForRole", on(Destroy), "find the profiles of a role that goes", role),
		row(iam, "RemoveRoleFromInstanceProfile", on(Destroy), "part role and profile", profile),
		row(iam, "DeleteInstanceProfile", on(Destroy), "delete the profile", profile),
		row(iam, "DetachRolePolicy", on(Destroy), "take the policies from the role", role),
		row(iam, "DeleteRolePolicy", on(Destroy), "take the policies from the role", role),
		row(iam, "DeleteRole", on(Destroy), "delete the role", role),
	}
}

func managementOperations() []Operation {
	parameter := under(using(), ownParameters)
	made := under(making(), ownParameters)
	session := under(using(), "ssm:*:*:session/${aws:username}-*", "ssm:*:*:session/${aws:userid}-*")
	return []Operation{
		row(sts, "GetCallerIdentity", always, "know the account before anything is done in it", none),
		row(sts, "DecodeAuthorizationMessage", on(Deploy), "say in words why EC2 refused something", readsGlobally),
		row(ssm, "PutParameter", on(Deploy), "keep the generated secrets", made, also("ssm:AddTagsToResource", made)),
		row(ssm, "GetParameter", on(Deploy), "find the newest image", uses("ssm:*::parameter/aws/service/*")),
		row(ssm, "GetParameter", on(Operate), "show the secrets to who asks for them", parameter),
		row(ssm, "DescribeParameters", always, "find the secrets without reading them", reads),
		row(ssm, "ListTagsForResource", always, "see whose a parameter is", parameter),
		row(ssm, "DeleteParameter", on(Destroy), "delete the secrets", parameter),
		row(ssm, "DescribeInstanceInformation", on(Deploy), "see whether the machine can be managed", reads),
		row(ssm, "SendCommand", on(Deploy, Operate), "ask the machine how its boot goes, for its logs and its health",
			uses("ssm:*::document/AWS-RunShellScript"), owns("instance")),
		row(ssm, "GetCommandInvocation", on(Deploy, Operate), "read the machine's answer", reads),
		row(ssm, "StartSession", on(Operate), "forward a port to the machine", uses("ssm:*::document/AWS-StartPortForwardingSession"), owns("instance")),
		row(ssm, "TerminateSession", on(Operate), "end a session of one's own", session),
	}
}

func marketOperations() []Operation {
	return []Operation{
		row(ec2, "DescribeAvailabilityZones", on(Deploy), "choose the zones", reads),
		row(ec2, "DescribeImages", on(Deploy), "know the image's owner, age and root volume", reads),
		row(ec2, "DescribeInstanceTypes", on(Deploy), "know a type that is not in the embedded list", reads),
		row(ec2, "DescribeInstanceTypeOfferings", on(Deploy), "know which types a zone has", reads),
		row(ec2, "DescribeKeyPairs", on(Deploy), "see that the key pair is there", reads),
		row(ec2, "DescribeRegions", on(Deploy, Destroy), "look into every region", reads),
		row(ec2, "DescribeSpotPriceHistory", always, "price spot machines", reads),
		row(ec2, "GetSpotPlacementScores", on(Deploy), "tell how likely a spot machine is to be had", reads),
		row(elb, "DescribeLoadBalancers", on(Deploy), "find load balancers that could be reused", reads),
		row(elb, "DescribeTags", on(Deploy), "see whose a load balancer is", reads),
		row(pricing, "GetProducts", always, "price everything", readsGlobally),
		row(quotas, "GetServiceQuota", on(Deploy), "compare the plan with the account's quotas", reads),
		row(quotas, "GetAWSDefaultServiceQuota", on(Deploy), "know a quota that the account never changed", reads),
	}
}
