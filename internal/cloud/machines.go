package cloud

import (
	"context"

	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/cloud/identity"
	"geusemaker/internal/engine"
)

// Machines describes the instances with these IDs that exist: one call for all of them, up to 200.
func (a *Account) Machines(ctx context.Context, ids []string) (map[string]engine.Found, error) {
	return compute.Machines(ctx, a.ec2, ids)
}

// Secrets reads the generated secrets of a deployment from its parameter, by variable. They belong on the screen of who
// asked and nowhere else.
func (a *Account) Secrets(ctx context.Context, parameter string) (map[string]string, error) {
	return identity.Reveal(ctx, a.ssm, parameter)
}
