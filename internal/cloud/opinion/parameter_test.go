package opinion

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func parameters() []behaviour {
	const put = "SSM API reference, PutParameter"
	return []behaviour{
		{
			name: "a parameter that exists is not replaced unasked", source: put, aws: "ParameterAlreadyExists",
			see: func(u *user) string {
				u.parameter("/judged/a", "one")
				return u.put(&ssm.PutParameterInput{Name: new("/judged/a"), Value: new("two"), Type: "String"})
			},
		},
		{
			name: "a parameter that is replaced has a new version", source: put, aws: "2 two",
			see: func(u *user) string {
				u.parameter("/judged/a", "one")
				u.put(&ssm.PutParameterInput{Name: new("/judged/a"), Value: new("two"), Overwrite: new(true)})
				found := must(u.ssm.GetParameter(u.ctx, &ssm.GetParameterInput{Name: new("/judged/a")}))(u).Parameter
				return fmt.Sprint(found.Version, " ", *found.Value)
			},
		},
		{
			name: "a parameter's type is named when it is made", source: put, aws: "ValidationException",
			see: func(u *user) string { return u.put(&ssm.PutParameterInput{Name: new("/judged/a"), Value: new("one")}) },
		},
		{
			name: "tags and overwriting exclude each other", source: put, aws: "ValidationException",
			see: func(u *user) string {
				u.parameter("/judged/a", "one")
				return u.put(&ssm.PutParameterInput{
					Name: new("/judged/a"), Value: new("two"), Overwrite: new(true), Tags: []ssmtypes.Tag{{Key: new("color"), Value: new("red")}},
				})
			},
		},
		{
			name: "a standard parameter has 4 KB at most", source: put, aws: "accepted, ValidationException",
			moto: "accepted, accepted",
			why:  "the reference says so",
			see: func(u *user) string {
				return each(
					u.put(&ssm.PutParameterInput{Name: new("/judged/a"), Value: new(strings.Repeat("x", 4096)), Type: "String"}),
					u.put(&ssm.PutParameterInput{Name: new("/judged/b"), Value: new(strings.Repeat("x", 4097)), Type: "String"}),
				)
			},
		},
		{
			name: "names that begin with aws are AWS's own", source: "public logs of the message \"No access to reserved parameter name\" (aws-cloudformation/cfn-lint 4089, aws-solutions/quota-monitor-for-aws 30)",
			aws:  "AccessDeniedException, AccessDeniedException",
			moto: "AccessDeniedException, ValidationException",
			why:  "the logs show that the name is reserved with and without a path; moto knows it of paths",
			see: func(u *user) string {
				return each(
					u.put(&ssm.PutParameterInput{Name: new("/aws/mine"), Value: new("one"), Type: "String"}),
					u.put(&ssm.PutParameterInput{Name: new("aws-mine"), Value: new("one"), Type: "String"}),
				)
			},
		},
		{
			name: "names that begin with ssm are refused", source: put, aws: "ValidationException",
			see: func(u *user) string {
				return u.put(&ssm.PutParameterInput{Name: new("/ssm/mine"), Value: new("one"), Type: "String"})
			},
		},
		{
			name: "a name holds no spaces", source: put, aws: "ValidationException",
			moto: "accepted",
			why:  "the reference says so",
			see: func(u *user) string {
				return u.put(&ssm.PutParameterInput{Name: new("/judged/a b"), Value: new("one"), Type: "String"})
			},
		},
		{
			name: "a name with levels begins with a slash", source: put, aws: "ValidationException",
			moto: "accepted",
			why:  "the reference says so",
			see: func(u *user) string {
				return u.put(&ssm.PutParameterInput{Name: new("judged/a"), Value: new("one"), Type: "String"})
			},
		},
		{
			name: "a name has fifteen levels at most", source: put, aws: "accepted, refused",
			moto: "accepted, accepted",
			why:  "the reference says so",
			see: func(u *user) string {
				_, err := u.ssm.PutParameter(u.ctx, &ssm.PutParameterInput{Name: new(strings.Repeat("/x", 17)), Value: new("one"), Type: "String"})
				return each(u.put(&ssm.PutParameterInput{Name: new(strings.Repeat("/x", 15)), Value: new("one"), Type: "String"}), refused(err))
			},
		},
		{
			name: "a value names no other parameter", source: put + ": parameters can't be referenced or nested in the values of other parameters", aws: "ValidationException",
			moto: "accepted",
			why:  "the reference says so",
			see: func(u *user) string {
				return u.put(&ssm.PutParameterInput{Name: new("/judged/a"), Value: new("{{ssm:/judged/b}}"), Type: "String"})
			},
		},
		{
			name: "a secret is readable only with decryption", source: "SSM API reference, GetParameter", aws: "false, true",
			see: func(u *user) string {
				u.put(&ssm.PutParameterInput{Name: new("/judged/a"), Value: new("secret"), Type: "SecureString"})
				hidden := must(u.ssm.GetParameter(u.ctx, &ssm.GetParameterInput{Name: new("/judged/a")}))(u).Parameter
				plain := must(u.ssm.GetParameter(u.ctx, &ssm.GetParameterInput{Name: new("/judged/a"), WithDecryption: new(true)}))(u).Parameter
				return each(fmt.Sprint(*hidden.Value == "secret"), fmt.Sprint(*plain.Value == "secret"))
			},
		},
		{
			name: "a parameter that does not exist cannot be read or deleted", source: "SSM API reference, GetParameter, DeleteParameter",
			aws: "ParameterNotFound, ParameterNotFound",
			see: func(u *user) string {
				_, read := u.ssm.GetParameter(u.ctx, &ssm.GetParameterInput{Name: new("/judged/a")})
				_, deleted := u.ssm.DeleteParameter(u.ctx, &ssm.DeleteParameterInput{Name: new("/judged/a")})
				return each(code(read), code(deleted))
			},
		},
		{
			name: "of several parameters those that do not exist are named", source: "SSM API reference, GetParameters", aws: "1 found, /judged/b missing",
			see: func(u *user) string {
				u.parameter("/judged/a", "one")
				out := must(u.ssm.GetParameters(u.ctx, &ssm.GetParametersInput{Names: []string{"/judged/a", "/judged/b"}}))(u)
				return fmt.Sprintf("%d found, %s missing", len(out.Parameters), strings.Join(out.InvalidParameters, " "))
			},
		},
		{
			name: "a path holds its own level, or all below it", source: "SSM API reference, GetParametersByPath", aws: "1, 2",
			see: func(u *user) string {
				u.parameter("/judged/a", "one")
				u.parameter("/judged/b/c", "two")
				flat := must(u.ssm.GetParametersByPath(u.ctx, &ssm.GetParametersByPathInput{Path: new("/judged")}))(u)
				deep := must(u.ssm.GetParametersByPath(u.ctx, &ssm.GetParametersByPathInput{Path: new("/judged"), Recursive: new(true)}))(u)
				return each(fmt.Sprint(len(flat.Parameters)), fmt.Sprint(len(deep.Parameters)))
			},
		},
		{
			name: "ten parameters at most are read at once", source: "SSM API reference, GetParameters", aws: "ValidationException",
			see: func(u *user) string {
				var names []string
				for n := range 11 {
					names = append(names, fmt.Sprintf("/judged/%d", n))
				}
				_, err := u.ssm.GetParameters(u.ctx, &ssm.GetParametersInput{Names: names})
				return code(err)
			},
		},
		{
			name: "a page of descriptions has fifty lines at most", source: "SSM API reference, DescribeParameters", aws: "ValidationException",
			moto: "accepted",
			why:  "the model says so",
			see: func(u *user) string {
				_, err := u.ssm.DescribeParameters(u.ctx, &ssm.DescribeParametersInput{MaxResults: new(int32(51))})
				return code(err)
			},
		},
		{
			name: "a parameter that was deleted begins anew", source: "SSM API reference, DeleteParameter", aws: "1",
			see: func(u *user) string {
				u.parameter("/judged/a", "one")
				u.put(&ssm.PutParameterInput{Name: new("/judged/a"), Value: new("two"), Overwrite: new(true)})
				u.done(u.ssm.DeleteParameter(u.ctx, &ssm.DeleteParameterInput{Name: new("/judged/a")}))
				u.parameter("/judged/a", "three")
				return fmt.Sprint(must(u.ssm.GetParameter(u.ctx, &ssm.GetParameterInput{Name: new("/judged/a")}))(u).Parameter.Version)
			},
		},
		{
			name: "an unknown filter of parameters is refused", source: "SSM API reference, DescribeParameters", aws: "refused",
			see: func(u *user) string {
				_, err := u.ssm.DescribeParameters(u.ctx, &ssm.DescribeParametersInput{
					ParameterFilters: []ssmtypes.ParameterStringFilter{{Key: new("Color"), Values: []string{"red"}}},
				})
				return refused(err)
			},
		},
		{
			name: "a page of a path has ten lines at most", source: "SSM API reference, GetParametersByPath", aws: "ValidationException",
			see: func(u *user) string {
				_, err := u.ssm.GetParametersByPath(u.ctx, &ssm.GetParametersByPathInput{Path: new("/judged"), MaxResults: new(int32(11))})
				return code(err)
			},
		},
		{
			name: "parameters are found by the begin of their names", source: "SSM API reference, ParameterStringFilter", aws: "2",
			see: func(u *user) string {
				for _, name := range []string{"/judged/a", "/judged/b", "/other/a"} {
					u.parameter(name, "one")
				}
				out := must(u.ssm.DescribeParameters(u.ctx, &ssm.DescribeParametersInput{
					ParameterFilters: []ssmtypes.ParameterStringFilter{{Key: new("Name"), Option: new("BeginsWith"), Values: []string{"/judged/"}}},
				}))(u)
				return fmt.Sprint(len(out.Parameters))
			},
		},
		{
			name: "tags of a parameter that does not exist cannot be listed", source: "SSM API reference, ListTagsForResource", aws: "InvalidResourceId",
			see: func(u *user) string {
				_, err := u.ssm.ListTagsForResource(u.ctx, &ssm.ListTagsForResourceInput{ResourceType: "Parameter", ResourceId: new("/judged/a")})
				return code(err)
			},
		},
		{
			name: "tags are added to those of a parameter", source: "SSM API reference, AddTagsToResource", aws: "2",
			see: func(u *user) string {
				u.put(&ssm.PutParameterInput{
					Name: new("/judged/a"), Value: new("one"), Type: "String", Tags: []ssmtypes.Tag{{Key: new("color"), Value: new("red")}},
				})
				u.done(u.ssm.AddTagsToResource(u.ctx, &ssm.AddTagsToResourceInput{
					ResourceType: "Parameter", ResourceId: new("/judged/a"), Tags: []ssmtypes.Tag{{Key: new("size"), Value: new("big")}},
				}))
				out := must(u.ssm.ListTagsForResource(u.ctx, &ssm.ListTagsForResourceInput{ResourceType: "Parameter", ResourceId: new("/judged/a")}))(u)
				return fmt.Sprint(len(out.TagList))
			},
		},
	}
}

func commands() []behaviour {
	return []behaviour{
		{
			name: "a command to an unknown machine is refused", source: "SSM API reference, SendCommand", aws: "InvalidInstanceId",
			moto: "accepted",
			why:  "the reference has an error for it; moto runs commands on machines that are not there",
			see: func(u *user) string {
				_, err := u.ssm.SendCommand(u.ctx, &ssm.SendCommandInput{
					DocumentName: new("AWS-RunShellScript"), InstanceIds: []string{"i-0123456789abcdef0"}, Parameters: map[string][]string{"commands": {"true"}},
				})
				return code(err)
			},
		},
		{
			name: "an unknown command has no invocation", source: "SSM API reference, GetCommandInvocation", aws: "InvocationDoesNotExist",
			moto: "InvalidCommandId",
			why:  "the reference describes this error as an ID that matches no invocation; the other is for an ID that is none",
			see: func(u *user) string {
				_, err := u.ssm.GetCommandInvocation(u.ctx, &ssm.GetCommandInvocationInput{
					CommandId: new("00000000-0000-0000-0000-000000000000"), InstanceId: new("i-0123456789abcdef0"),
				})
				return code(err)
			},
		},
	}
}

func (u *user) put(in *ssm.PutParameterInput) string {
	_, err := u.ssm.PutParameter(u.ctx, in)
	u.settle()
	return code(err)
}
