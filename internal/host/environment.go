package host

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"geusemaker/internal/stack"
)

// modelName is what Ollama takes: [registry/][namespace/]model[:tag].
var modelName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]*$`) })

// variableName is a name that every shell and container takes (POSIX, "Environment Variables").
var variableName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`) })

// machineEnvironment renders machine.env: assignments that bash reads with `.`, sorted by what they are about. It holds no
// secret.
func machineEnvironment(m stack.Machine) (string, error) {
	for _, model := range m.Models {
		if !modelName().MatchString(model) {
			return "", fmt.Errorf("models: %q is no model name: write model or model:tag", model)
		}
	}
	images, err := chosenImages(m.Images)
	if err != nil {
		return "", err
	}
	gateway, err := gatewayEnvironment(m)
	if err != nil {
		return "", err
	}
	pairs := [][2]string{
		{"STACK_ID", m.StackID},
		{"STACK_NAME", m.StackName},
		{"TOOL_VERSION", m.Version},
		{"REGION", m.Region},
		{"TIER", m.Tier},
		{"WORKLOAD", m.Workload},
		{"SECRET_PARAMETER", m.SecretParameter},
		{"FILE_SYSTEM_ID", m.FileSystemID},
		{"DATA_VOLUME", fmt.Sprint(m.DataVolume)},
		{"ACCESS", m.Access},
		{"DOMAIN", m.Domain},
		{"BACKUP", m.Backup},
		{"MODELS", strings.Join(m.Models, " ")},
	}
	pairs = append(pairs, gateway...)
	for _, service := range slices.Sorted(maps.Keys(images)) {
		pairs = append(pairs, [2]string{"IMAGE_" + strings.ToUpper(service), images[service]})
	}
	for _, share := range memoryShares {
		pairs = append(pairs, [2]string{"MEMORY_" + strings.ToUpper(share.service), fmt.Sprintf("%dm", share.limit(m.MemoryMiB))})
	}
	var out strings.Builder
	out.WriteString("# No secret is here.\n")
	for _, pair := range pairs {
		value, err := quote(pair[1])
		if err != nil {
			return "", fmt.Errorf("%s: %w", strings.ToLower(pair[0]), err)
		}
		fmt.Fprintf(&out, "%s=%s\n", pair[0], value)
	}
	return out.String(), nil
}

// gatewayEnvironment tells the gateway how to serve: with certificates of its own authority, without TLS, or with
// certificates of a public authority for the domain.
func gatewayEnvironment(m stack.Machine) ([][2]string, error) {
	scheme, option, bind := "https", "local_certs", "0.0.0.0"
	switch m.HTTPS {
	case stack.HTTPSInternal:
	case stack.HTTPSOff:
		scheme, option = "http", "auto_https off"
	case stack.HTTPSACME:
		option = ""
		if m.Domain == "" {
			return nil, fmt.Errorf("https: acme needs a domain: set domain, or https to internal")
		}
	default:
		return nil, fmt.Errorf("https: %q is unknown: use internal, off or acme", m.HTTPS)
	}
	if m.Access == stack.AccessTunnel {
		bind = "127.0.0.1"
	}
	return [][2]string{
		{"GATEWAY_BIND", bind},
		{"GATEWAY_SCHEME", scheme},
		{"GATEWAY_OPTION", option},
		{"SECURE_COOKIE", fmt.Sprint(scheme == "https")},
	}, nil
}

// quote writes value so that a shell reads it back unchanged. Control characters are refused: none belongs in a setting, and
// a line break would end the line.
func quote(value string) (string, error) {
	for _, r := range value {
		if r < ' ' || r == 0x7f {
			return "", fmt.Errorf("%q holds a control character: remove it", value)
		}
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'", nil
}

// userCompose renders the compose file that adds the user's environment to the services, or "" without any. Compose merges
// it over ours by name, so a user can also change what we set.
func userCompose(m stack.Machine) (string, error) {
	type service struct {
		Environment map[string]string `yaml:"environment"`
	}
	services := map[string]service{}
	for _, name := range slices.Sorted(maps.Keys(m.Env)) {
		if _, ok := Images()[name]; !ok {
			return "", unknownService("env", name)
		}
		environment := map[string]string{}
		for _, key := range slices.Sorted(maps.Keys(m.Env[name])) {
			if !variableName().MatchString(key) {
				return "", fmt.Errorf("env: %s: %q is no variable name: use letters, digits and _", name, key)
			}
			if slices.Contains(secretNames, key) {
				return "", fmt.Errorf("env: %s: %s is generated and kept in Systems Manager: user data can be read by others, so remove it", name, key)
			}
			// Compose reads $ as the beginning of a variable and $$ as the character.
			environment[key] = strings.ReplaceAll(m.Env[name][key], "$", "$$")
		}
		if len(environment) > 0 {
			services[name] = service{environment}
		}
	}
	if len(services) == 0 {
		return "", nil
	}
	text, err := yaml.Marshal(map[string]any{"services": services})
	if err != nil {
		return "", fmt.Errorf("render compose.user.yaml: %w", err)
	}
	return string(text), nil
}

// secretNames are the variables that carry a generated secret into a container.
var secretNames = []string{
	stack.SecretPostgresPassword,
	stack.SecretN8NEncryptionKey,
	stack.SecretN8NJWT,
	stack.SecretN8NOwnerEmail,
	stack.SecretN8NOwnerPassword,
	stack.SecretN8NOwnerHash,
	stack.SecretOllamaToken,
	stack.SecretQdrantAPIKey,
	stack.SecretCrawl4AIToken,
	"DB_POSTGRESDB_PASSWORD",
}
