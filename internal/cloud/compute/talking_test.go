package compute_test

import (
	"context"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// talking is a Systems Manager through which a machine gives one answer after the other, and that remembers what was asked.
type talking struct {
	saying
	answers []string
	asked   *[]string
}

func (s *talking) SendCommand(ctx context.Context, in *ssm.SendCommandInput, _ ...func(*ssm.Options)) (*ssm.SendCommandOutput, error) {
	*s.asked = append(*s.asked, in.Parameters["commands"][0])
	return s.saying.SendCommand(ctx, in)
}

func (s *talking) GetCommandInvocation(ctx context.Context, in *ssm.GetCommandInvocationInput, _ ...func(*ssm.Options)) (*ssm.GetCommandInvocationOutput, error) {
	s.text, s.answers = s.answers[0], s.answers[1:]
	return saying{text: s.text}.GetCommandInvocation(ctx, in)
}

// logCommand is what may be asked of a machine for a log: five words, none of which a shell could take for more.
var logCommand = regexp.MustCompile(`^/opt/geusemaker/logs n8n ([0-9]+s|[0-9T:.Z-]+) (all|[0-9]+) [0-9]+$`)
