package identity

import "strings"

// ownerOf is the ID of the deployment in a path such as /geusemaker/ID/ or a name such as /geusemaker/ID/stack; "" when it
// is none of ours.
func ownerOf(path string) string {
	rest, ours := strings.CutPrefix(path, "/geusemaker/")
	id, _, complete := strings.Cut(rest, "/")
	if !ours || !complete {
		return ""
	}
	return id
}

// partitionOf is the partition that an ARN names, aws where there is no ARN.
func partitionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 3)
	if len(parts) < 3 || parts[0] != "arn" || parts[1] == "" {
		return "aws"
	}
	return parts[1]
}

// managedARN is the ARN of one of AWS's managed policies, which may be named by the last part only.
func managedARN(partition, name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:" + partition + ":iam::aws:policy/" + name
}
