package permission

import "strings"

// Reuse names what of the user's own a deployment may use. None of it bears a tag of ours, so it is allowed by its ID, and what
// is empty is not allowed at all.
type Reuse struct {
	VPC         string   // ID; without it neither Subnet nor Group can be used, since a security group is made beside them
	Subnet      string   // ID; without it every subnet of VPC
	Group       string   // ID of the machine's security group
	FileSystem  string   // ID
	KeyPair     string   // name
	AddRules    bool     // rules may be added to Group and MountGroups, and be taken out again
	MountGroups []string // IDs of the security groups of the mount targets that FileSystem has already
}

// whole is a reuse of everything, for lists of what may be asked.
func whole() Reuse {
	return Reuse{VPC: "*", Subnet: "*", Group: "*", FileSystem: "*", KeyPair: "*", AddRules: true, MountGroups: []string{"*"}}
}

// borrowing is for what is the user's, named in full.
func borrowing() guard { return guard{name: "Lent"} }

// lent is for operations on these resources of the user's; none where there are none.
func lent(resources ...string) asks {
	if len(resources) == 0 {
		return none
	}
	return under(borrowing(), resources...)
}

// vpc is for operations on the user's VPC.
func (r Reuse) vpc() asks { return lent(named("vpc", r.VPC)...) }

// subnets is for operations on the subnet that is named, or on any of the VPC: which of them fit is known to a deploy only. The
// condition is that of the EC2 user guide, "Example policies to control access the Amazon EC2 API", for launches in one VPC.
func (r Reuse) subnets() asks {
	if r.Subnet != "" || r.VPC == "" {
		return lent(named("subnet", r.Subnet)...)
	}
	inside := when("LentVPC", borrowing(), condition{"ArnLike", "ec2:Vpc", []string{"arn:*:ec2:*:*:vpc/" + r.VPC}})
	return under(inside, ec2ARNs([]string{"subnet"})...)
}

// group is for operations on the machine's security group.
func (r Reuse) group() asks { return lent(named("security-group", r.Group)...) }

// ingress and egress are for operations on the rules of the user's groups. Those of mount targets only lack rules that let the
// machine in.
func (r Reuse) ingress() asks {
	if !r.AddRules {
		return none
	}
	groups := named("security-group", r.Group)
	for _, id := range r.MountGroups {
		groups = append(groups, named("security-group", id)...)
	}
	return lent(groups...)
}

func (r Reuse) egress() asks {
	if !r.AddRules {
		return none
	}
	return r.group()
}

// keyPair is for operations on the user's key pair.
func (r Reuse) keyPair() asks { return lent(named("key-pair", r.KeyPair)...) }

// files is for operations on the user's file system.
func (r Reuse) files() asks {
	if r.FileSystem == "" {
		return none
	}
	return lent("elasticfilesystem:*:*:file-system/" + literal(r.FileSystem))
}

// named is the ARN of a resource of EC2 with this ID or name, in any region and account; none without one.
func named(kind, id string) []string {
	if id == "" {
		return nil
	}
	return []string{"ec2:*:*:" + kind + "/" + literal(id)}
}

// literal writes a name so that no part of it is a pattern or a variable (IAM user guide, "IAM policy elements: Variables and
// tags", special characters). A key pair may be called almost anything.
func literal(name string) string {
	return strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(name)
}
