package sandbox

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type keyPair struct {
	resource
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	Public      string `json:"public,omitempty"`
	Type        string `json:"type,omitempty"` // empty: rsa
}

var keyPairKind = kind{"key", "InvalidKeyPair", "InvalidKeyPair", "The key pair"}

func registerKeyPairs(all map[string]operation) {
	on(all, serviceEC2, "CreateKeyPair", createKeyPair)
	on(all, serviceEC2, "ImportKeyPair", importKeyPair)
	on(all, serviceEC2, "DescribeKeyPairs", describeKeyPairs)
	on(all, serviceEC2, "DeleteKeyPair", deleteKeyPair)
}

func (c *call) keyPairNamed(name string) *keyPair {
	for _, k := range c.region.KeyPairs {
		if k.Name == name {
			return k
		}
	}
	return nil
}

func (c *call) newKeyPair(name, public string, specifications []ec2types.TagSpecification) (*keyPair, error) {
	tags, err := taggedOne(specifications, ec2types.ResourceTypeKeyPair)
	if err != nil {
		return nil, err
	}
	if c.keyPairNamed(name) != nil {
		return nil, refuse("InvalidKeyPair.Duplicate", "The keypair '%s' already exists.", name)
	}
	k := &keyPair{resource: c.birth(c.newID("key"), tags), Name: name, Public: public}
	if strings.HasPrefix(public, "ssh-ed25519 ") {
		k.Type = string(ec2types.KeyTypeEd25519)
	}
	sum := digest(0, k.ID, public)
	var pairs []string
	for i := 0; i < len(sum); i += 2 {
		pairs = append(pairs, sum[i:i+2])
	}
	k.Fingerprint = strings.Join(pairs, ":")
	c.region.KeyPairs[k.ID] = k
	return k, nil
}

func createKeyPair(c *call, in *ec2.CreateKeyPairInput) (*ec2.CreateKeyPairOutput, error) {
	k, err := c.newKeyPair(deref(in.KeyName), "", in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	k.Type = string(in.KeyType)
	return &ec2.CreateKeyPairOutput{
		KeyName: new(k.Name), KeyPairId: new(k.ID), KeyFingerprint: new(k.Fingerprint), Tags: ec2Tags(k.Tags),
		KeyMaterial: new("-----BEGIN SANDBOX KEY-----\nnot a key\n-----END SANDBOX KEY-----\n"),
	}, nil
}

func importKeyPair(c *call, in *ec2.ImportKeyPairInput) (*ec2.ImportKeyPairOutput, error) {
	public := string(in.PublicKeyMaterial)
	if !strings.HasPrefix(public, "ssh-rsa ") && !strings.HasPrefix(public, "ssh-ed25519 ") {
		return nil, refuse("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
	}
	k, err := c.newKeyPair(deref(in.KeyName), public, in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	return &ec2.ImportKeyPairOutput{
		KeyName: new(k.Name), KeyPairId: new(k.ID), KeyFingerprint: new(k.Fingerprint), Tags: ec2Tags(k.Tags),
	}, nil
}

func describeKeyPairs(c *call, in *ec2.DescribeKeyPairsInput) (*ec2.DescribeKeyPairsOutput, error) {
	filters := in.Filters
	for _, name := range in.KeyNames {
		if k := c.keyPairNamed(name); k == nil || !k.visible(c.now) {
			return nil, refuse("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", name)
		}
	}
	if len(in.KeyNames) > 0 {
		filters = append(slices.Clip(filters), ec2types.Filter{Name: new("key-name"), Values: in.KeyNames})
	}
	found, _, err := describe(c, keyPairKind, c.region.KeyPairs, query{ids: in.KeyPairIds, filters: filters},
		func(k *keyPair) attributes {
			return attributes{"key-name": {k.Name}, "key-pair-id": {k.ID}, "fingerprint": {k.Fingerprint}}
		},
		func(k *keyPair) ec2types.KeyPairInfo {
			return ec2types.KeyPairInfo{
				KeyName: new(k.Name), KeyPairId: new(k.ID), KeyFingerprint: new(k.Fingerprint), CreateTime: new(k.Born),
				KeyType: ec2types.KeyType(cmp.Or(k.Type, string(ec2types.KeyTypeRsa))), Tags: ec2Tags(k.Tags),
			}
		})
	return &ec2.DescribeKeyPairsOutput{KeyPairs: found}, err
}

// deleteKeyPair succeeds for a name that does not exist (EC2 API reference, DeleteKeyPair).
func deleteKeyPair(c *call, in *ec2.DeleteKeyPairInput) (*ec2.DeleteKeyPairOutput, error) {
	for id, k := range c.region.KeyPairs {
		if id == deref(in.KeyPairId) || in.KeyPairId == nil && k.Name == deref(in.KeyName) {
			delete(c.region.KeyPairs, id)
		}
	}
	return &ec2.DeleteKeyPairOutput{Return: new(true)}, nil
}
