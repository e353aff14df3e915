package identity

import "encoding/json"

// policyVersion is the current version of the policy language (IAM user guide, "IAM JSON policy elements: Version").
const policyVersion = "2012-10-17"

// policy is an IAM policy document.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid         string `json:",omitempty"`
	Effect      string
	Principal   map[string]string `json:",omitempty"`
	Action      []string
	Resource    []string                     `json:",omitempty"`
	NotResource []string                     `json:",omitempty"`
	Condition   map[string]map[string]string `json:",omitempty"`
}

// String is the document as IAM takes it: the same text for the same policy.
func (p policy) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic("a policy has no JSON form: " + err.Error()) // it holds texts only
	}
	return string(text)
}

// grants is what the machine may do beyond being managed.
type grants struct {
	partition, region, account string
	fileSystem                 string // ID
	parameter                  string // name
}

// policy lets the machine use its file system and read its secrets, nothing else.
//
// The mount helper needs to look up mount targets and zones when DNS does not know the file system yet (Amazon EFS user
// guide, "Using IAM to control file system data access" and "Mounting with the EFS mount helper"). The secrets are
// encrypted with the account's key aws/ssm, whose own policy admits everyone in the account who may read the parameter, so
// no right to decrypt is needed (AWS KMS developer guide, "AWS managed keys").
//
// AmazonSSMManagedInstanceCore allows ssm:GetParameter on everything. What is not this machine's is therefore denied, but
// for the public parameters of AWS: who breaks into the machine shall not read the secrets of other deployments, or of
// anybody else in the account.
func (g grants) policy() policy {
	files := "arn:" + g.partition + ":elasticfilesystem:" + g.region + ":" + g.account + ":file-system/" + g.fileSystem
	secret := "arn:" + g.partition + ":ssm:" + g.region + ":" + g.account + ":parameter" + g.parameter
	public := "arn:" + g.partition + ":ssm:*::parameter/aws/*"
	return policy{Version: policyVersion, Statement: []statement{
		{
			Sid: "UseFiles", Effect: "Allow", Resource: []string{files},
			Action:    []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"},
			Condition: map[string]map[string]string{"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}},
		},
		{Sid: "FindMountTargets", Effect: "Allow", Resource: []string{files}, Action: []string{"elasticfilesystem:DescribeMountTargets"}},
		{Sid: "FindZones", Effect: "Allow", Resource: []string{"*"}, Action: []string{"ec2:DescribeAvailabilityZones"}},
		{Sid: "ReadSecrets", Effect: "Allow", Resource: []string{secret}, Action: []string{"ssm:GetParameter"}},
		{Sid: "ReadNothingElse", Effect: "Deny", NotResource: []string{secret, public}, Action: []string{"ssm:GetParameter*"}},
	}}
}
