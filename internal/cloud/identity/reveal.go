package identity

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
)

// Reveal reads the secrets of a deployment from the parameter with the name: variable -> value. It is engine.ErrNotFound when
// there is no such parameter. Its errors hold no secret.
func Reveal(ctx context.Context, client SSM, name string) (map[string]string, error) {
	out, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: new(true)})
	if err != nil {
		return nil, api.Absent(err)
	}
	all := map[string]string{}
	if out.Parameter != nil {
		for line := range strings.Lines(aws.ToString(out.Parameter.Value)) {
			if key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "="); ok {
				all[key] = value
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("parameter %s does not hold the secrets of a deployment: %w", name, engine.ErrNotFound)
	}
	return all, nil
}
