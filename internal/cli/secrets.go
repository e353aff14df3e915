package cli

import (
	"context"
	"errors"
	"fmt"

	"geusemaker/internal/cloud"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// secretDoc is one login or token.
type secretDoc struct {
	Service string `json:"service"`
	Name    string `json:"name"`
	Value   string `json:"value"`
}

// shownSecrets are those that a user needs, in the order in which they look for them. What only the services tell each
// other is not among them.
var shownSecrets = []struct{ service, name, variable string }{
	{"n8n", "e-mail", stack.SecretN8NOwnerEmail},
	{"n8n", "password", stack.SecretN8NOwnerPassword},
	{"n8n", "encryption key", stack.SecretN8NEncryptionKey},
	{"ollama", "bearer token", stack.SecretOllamaToken},
	{"qdrant", "api key", stack.SecretQdrantAPIKey},
	{"crawl4ai", "bearer token", stack.SecretCrawl4AIToken},
	{"postgres", "password", stack.SecretPostgresPassword},
}

// confirmSecrets asks whether secrets are to stand on the screen.
func (a *app) confirmSecrets(ctx context.Context, name string) error {
	if a.global.yes {
		return nil
	}
	if !a.streams.CanPrompt() {
		return &usageError{err: errors.New("--show-secrets prints passwords, and there is no terminal to ask on"), hints: []string{"pass --yes"}}
	}
	yes, err := a.prompter().Confirm(ctx, fmt.Sprintf("Show the passwords and tokens of %s on this screen?", name), false)
	if err == nil && !yes {
		return &hinted{err: errors.New("nothing was shown"), code: exitInterrupted, kind: "cancelled"}
	}
	return err
}

// secrets fetches the logins and tokens of a deployment. They are kept nowhere.
func (a *app) secrets(ctx context.Context, account *cloud.Account, s stack.State) ([]secretDoc, error) {
	var parameter stack.Record
	for _, r := range s.Records {
		if r.Kind == stack.KindParameter {
			parameter = r
		}
	}
	if parameter.ID == "" {
		return nil, &hinted{err: fmt.Errorf("%s has no secrets yet", s.Name), code: exitNotFound, kind: "not-found", hints: []string{fmt.Sprintf("`geusemaker deploy %s` makes them", s.Name)}}
	}
	if err := account.MustBe(ctx, s.Account); err != nil {
		return nil, err
	}
	values, err := account.Secrets(ctx, parameter.ID)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, &hinted{err: fmt.Errorf("the parameter %s with the secrets of %s is gone", parameter.ID, s.Name), code: exitNotFound, kind: "not-found"}
	}
	if err != nil {
		return nil, err
	}
	shown := []secretDoc{}
	for _, one := range shownSecrets {
		if value := values[one.variable]; value != "" {
			shown = append(shown, secretDoc{one.service, one.name, value})
		}
	}
	return shown, nil
}
