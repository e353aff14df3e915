package sandbox

import "github.com/aws/aws-sdk-go-v2/service/sts"

func registerIdentity(all map[string]operation) {
	on(all, serviceSTS, "GetCallerIdentity", getCallerIdentity)
}

func getCallerIdentity(c *call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{
		Account: new(c.state.Account), Arn: new("arn:aws:iam::" + c.state.Account + ":user/sandbox"), UserId: new("AIDASANDBOXEXAMPLE00"),
	}, nil
}
