package discovery

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
)

// KeyPair is an EC2 key pair: the public half, of course.
type KeyPair struct {
	Resource
	Type        string // rsa or ed25519
	Fingerprint string
	CreatedAt   time.Time // zero for those that are older than EC2's memory
}

func keyPairOf(k ec2types.KeyPairInfo) KeyPair {
	out := KeyPair{
		Resource: named(aws.ToString(k.KeyPairId), api.FromEC2(k.Tags)),
		Type:     string(k.KeyType), Fingerprint: aws.ToString(k.KeyFingerprint), CreatedAt: aws.ToTime(k.CreateTime),
	}
	out.Name = aws.ToString(k.KeyName)
	return out
}
