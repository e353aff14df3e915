package stack

// A Service is one of the programs that the machine runs, as seen through the gateway.
type Service struct {
	Name string
	// Port is the port on which the gateway answers for it; 0 means that it is reached only from inside.
	Port int
	// HealthPath answers 200 without a login when the service is well.
	HealthPath string
	// Auth says in words who is let in.
	Auth string
}

// URL is the address of the service on host. The gateway serves plain HTTP only when the user has switched TLS off.
func (s Service) URL(host, https string) string {
	if s.Port == 0 {
		return ""
	}
	scheme := "https"
	if https == HTTPSOff {
		scheme = "http"
	}
	if s.Port == gatewayPort(https) {
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + itoa(s.Port)
}

// gatewayPort is where the gateway serves n8n.
func gatewayPort(https string) int {
	if https == HTTPSOff {
		return 80
	}
	return 443
}

// Services lists what a deployment runs, in the order in which people look for it. Ports and health paths are the
// projects' own defaults: n8n /healthz/readiness (docs.n8n.io, "Monitoring"), Ollama /api/version (ollama docs/api.md),
// Qdrant /readyz, which needs no key (qdrant src/actix/mod.rs), Crawl4AI /health, which needs no token (crawl4ai
// deploy/docker).
func Services(https string) []Service {
	return []Service{
		{Name: "n8n", Port: gatewayPort(https), HealthPath: "/healthz/readiness", Auth: "n8n login"},
		{Name: "ollama", Port: 11434, HealthPath: "/api/version", Auth: "bearer token"},
		{Name: "qdrant", Port: 6333, HealthPath: "/readyz", Auth: "api key"},
		{Name: "crawl4ai", Port: 11235, HealthPath: "/health", Auth: "bearer token"},
		{Name: "postgres", Auth: "password, inside only"},
		{Name: "gateway"},
	}
}

// Names of the secrets that are generated for a deployment. They live in one SSM SecureString of KEY=value lines and
// nowhere else. Values hold only letters, digits and the characters ./$@- so that no shell or compose file can misread one.
const (
	SecretPostgresPassword = "POSTGRES_PASSWORD"
	SecretN8NEncryptionKey = "N8N_ENCRYPTION_KEY"
	SecretN8NJWT           = "N8N_USER_MANAGEMENT_JWT_SECRET"
	SecretN8NOwnerEmail    = "N8N_INSTANCE_OWNER_EMAIL"
	SecretN8NOwnerPassword = "N8N_INSTANCE_OWNER_PASSWORD"
	SecretN8NOwnerHash     = "N8N_INSTANCE_OWNER_PASSWORD_HASH"
	SecretOllamaToken      = "OLLAMA_TOKEN"
	SecretQdrantAPIKey     = "QDRANT__SERVICE__API_KEY"
	SecretCrawl4AIToken    = "CRAWL4AI_API_TOKEN"
)
