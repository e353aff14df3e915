package identity

import (
	"crypto/rand"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"geusemaker/internal/stack"
)

// generate makes the secrets of a deployment as lines of KEY=value. Values hold letters and digits only, but for the hash,
// which is of the given cost.
func generate(ownerEmail string, cost int) (string, error) {
	password := ownerPassword()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		return "", fmt.Errorf("cannot hash the owner's password: %w", err)
	}
	var b strings.Builder
	for _, pair := range [][2]string{
		{stack.SecretPostgresPassword, rand.Text()},
		{stack.SecretN8NEncryptionKey, rand.Text() + rand.Text()},
		{stack.SecretN8NJWT, rand.Text() + rand.Text()},
		{stack.SecretN8NOwnerEmail, ownerEmail},
		{stack.SecretN8NOwnerPassword, password},
		{stack.SecretN8NOwnerHash, string(hash)},
		{stack.SecretOllamaToken, rand.Text()},
		{stack.SecretQdrantAPIKey, rand.Text()},
		{stack.SecretCrawl4AIToken, rand.Text()},
	} {
		fmt.Fprintf(&b, "%s=%s\n", pair[0], pair[1])
	}
	return b.String(), nil
}

// ownerPassword has an upper-case letter, a lower-case letter and a digit, as n8n demands of a password, and 26 random
// characters (130 bits) that can be read and typed.
func ownerPassword() string { return "Gm1-" + rand.Text() }
