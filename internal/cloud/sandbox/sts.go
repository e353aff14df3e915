package sandbox

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func registerIdentity(all map[string]operation) {
	on(all, serviceSTS, "GetCallerIdentity", getCallerIdentity)
	on(all, serviceSTS, "DecodeAuthorizationMessage", decodeAuthorizationMessage)
}

// decodeAuthorizationMessage takes a message that a fault was told to answer with: its code is Base64, so that it can be
// written by hand.
func decodeAuthorizationMessage(_ *call, in *sts.DecodeAuthorizationMessageInput) (*sts.DecodeAuthorizationMessageOutput, error) {
	plain, err := base64.StdEncoding.DecodeString(deref(in.EncodedMessage))
	if err != nil {
		return nil, refuse("InvalidAuthorizationMessageException", "The message could not be decoded.")
	}
	return &sts.DecodeAuthorizationMessageOutput{DecodedMessage: new(string(plain))}, nil
}

func getCallerIdentity(c *call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{
		Account: new(c.state.Account), Arn: new("arn:aws:iam::" + c.state.Account + ":user/sandbox"), UserId: new("AIDASANDBOXEXAMPLE00"),
	}, nil
}
