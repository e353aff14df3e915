package permissiontest

import (
	"fmt"
	"maps"
	"strings"
)

// tags are the needs of giving tags to what the request makes.
func (a *asked) tags(action string) []Need {
	place := ":" + a.Region + ":" + a.account + ":"
	need := func(action, arn string, tags, more map[string]string) Need {
		maps.Copy(tags, more)
		return Need{Action: action, Resource: arn, Context: a.with(tags)}
	}
	var needs []Need
	for n := 1; a.fields[fmt.Sprintf("TagSpecification.%d.ResourceType", n)] != ""; n++ {
		kind := a.fields[fmt.Sprintf("TagSpecification.%d.ResourceType", n)]
		needs = append(needs, need("ec2:CreateTags", "arn:aws:ec2"+place+kind+"/new",
			prefixed("aws:RequestTag/", a.requested(kind)), map[string]string{"ec2:CreateAction": a.Operation}))
	}
	tags := prefixed("aws:RequestTag/", a.requested(""))
	if len(tags) == 0 {
		return needs
	}
	switch action {
	case "elasticfilesystem:CreateFileSystem":
		needs = append(needs, need("elasticfilesystem:TagResource", "arn:aws:elasticfilesystem"+place+"file-system/new", tags,
			map[string]string{"elasticfilesystem:CreateAction": a.Operation}))
	case "iam:CreateRole":
		needs = append(needs, need("iam:TagRole", a.fresh("role", true), tags, nil))
	case "iam:CreateInstanceProfile":
		needs = append(needs, need("iam:TagInstanceProfile", a.fresh("instance-profile", true), tags, nil))
	case "ssm:PutParameter":
		needs = append(needs, need("ssm:AddTagsToResource", a.fresh("parameter", true), tags, nil))
	}
	return needs
}

// behind are the needs of what a service does in the name of the caller.
func (a *asked) behind() []Need {
	var needs []Need
	serviceRole := func(service string) {
		needs = append(needs, Need{
			Action: "iam:CreateServiceLinkedRole", Resource: "arn:aws:iam::" + a.account + ":role/aws-service-role/" + service + "/AWSServiceRole",
			Context: a.with(map[string]string{"iam:AWSServiceName": service}),
		})
	}
	switch a.Operation {
	case "RunInstances", "AddRoleToInstanceProfile":
		// IAM user guide, "Grant a user permissions to pass a role to an AWS service".
		for _, one := range a.Resources {
			if kindOf(one.ARN) == "role" {
				needs = append(needs, Need{Action: "iam:PassRole", Resource: one.ARN, Context: a.with(map[string]string{"iam:PassedToService": "ec2.amazonaws.com"})})
			}
		}
		if a.fields["InstanceMarketOptions.MarketType"] == "spot" { // EC2 user guide, "Service-linked role for Spot Instance requests"
			serviceRole("spot.amazonaws.com")
		}
	case "CreateFileSystem": // EFS user guide, "Using service-linked roles for Amazon EFS"
		serviceRole("elasticfilesystem.amazonaws.com")
	case "PutBackupPolicy": // EFS user guide, "Backing up EFS file systems"
		serviceRole("backup.amazonaws.com")
	case "CreateMountTarget": // EFS API reference, CreateMountTarget
		needs = append(needs,
			Need{Action: "ec2:DescribeSubnets", Resource: "*", Context: a.context}, Need{Action: "ec2:DescribeNetworkInterfaces", Resource: "*", Context: a.context},
			Need{Action: "ec2:CreateNetworkInterface", Resource: "arn:aws:ec2:" + a.Region + ":" + a.account + ":network-interface/new", Context: a.context})
		for _, one := range a.Resources {
			if kind := kindOf(one.ARN); kind == "subnet" || kind == "security-group" {
				needs = append(needs, a.existing("ec2:CreateNetworkInterface", one))
			}
		}
	case "DeleteMountTarget": // EFS API reference, DeleteMountTarget
		if strings.Contains(a.URL, "/fsmt-") {
			needs = append(needs, Need{Action: "ec2:DeleteNetworkInterface", Resource: "arn:aws:ec2:" + a.Region + ":" + a.account + ":network-interface/old", Context: a.context})
		}
	}
	return needs
}
