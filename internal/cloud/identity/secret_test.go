package identity_test

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"geusemaker/internal/cloud/api/apitest"
	"geusemaker/internal/cloud/identity"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

var plain = regexp.MustCompile(`^[A-Za-z0-9./$@-]+$`)

func TestSecrets(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		b.Make(stack.KeySecret, secret)
		found, err := ssmAPI(b).GetParameter(b.Context(), &ssm.GetParameterInput{Name: &secret.Name})
		if err != nil || found.Parameter.Type != ssmtypes.ParameterTypeSecureString {
			t.Fatalf("%+v, %v", found, err)
		}
		got, err := identity.Reveal(b.Context(), ssmAPI(b), secret.Name)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		seen := map[string]bool{}
		for name, value := range got {
			names = append(names, name)
			if !plain.MatchString(value) || seen[value] || len(value) < 16 && name != stack.SecretN8NOwnerEmail {
				t.Errorf("%s is %q", name, value)
			}
			seen[value] = true
		}
		slices.Sort(names)
		want := []string{
			stack.SecretCrawl4AIToken, stack.SecretN8NEncryptionKey, stack.SecretN8NOwnerEmail, stack.SecretN8NOwnerPassword, stack.SecretN8NOwnerHash,
			stack.SecretN8NJWT, stack.SecretOllamaToken, stack.SecretPostgresPassword, stack.SecretQdrantAPIKey,
		}
		slices.Sort(want)
		if d := cmp.Diff(want, names); d != "" {
			t.Error(d)
		}
		password := got[stack.SecretN8NOwnerPassword]
		if !strings.ContainsAny(password, "0123456789") || password == strings.ToLower(password) || password == strings.ToUpper(password) {
			t.Errorf("n8n would refuse the password %q", password)
		}
		if err := bcrypt.CompareHashAndPassword([]byte(got[stack.SecretN8NOwnerHash]), []byte(password)); err != nil {
			t.Error(err)
		}
		if bytes.Contains(b.Account.Dump(), []byte(password)) {
			t.Error("the password is readable in the account's file")
		}
	})
}

func TestSecretsAreNeverWrittenTwice(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		b.Make(stack.KeySecret, secret)
		first, err := identity.Reveal(b.Context(), ssmAPI(b), secret.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Drivers[stack.KindParameter].Create(b.Context(), b.Target(stack.KeySecret, secret)); err == nil {
			t.Error("the parameter was overwritten")
		} else if strings.Contains(err.Error(), first[stack.SecretPostgresPassword]) {
			t.Error("the error holds a secret")
		}
		again, err := identity.Reveal(b.Context(), ssmAPI(b), secret.Name)
		if d := cmp.Diff(first, again); err != nil || d != "" {
			t.Error(d, err)
		}
	})
}

func TestRevealOfNothing(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		if got, err := identity.Reveal(b.Context(), ssmAPI(b), secret.Name); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v, %v", got, err)
		}
	})
}
