package stack

// A Service is one of the programs that the machine runs, as seen through the gateway.
type Service struct {
	Name string
	// Port is the port on which the gateway answers for it; 0 means that it is reached only from inside.
	Port int
	// HealthPath answers 200 without a login when the service is well.
	HealthPath string
	// VersionPath answers with a JSON object that holds the version, without a login; "" where the service does not tell.
	VersionPath string
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

// LocalPort is the port of the user's own computer to which a tunnel brings the service. It is the gateway's, but for n8n:
// ports below 1024 need privileges, so that n8n gets its own default.
func (s Service) LocalPort() int {
	if s.Port > 0 && s.Port < 1024 {
		return 5678
	}
	return s.Port
}

// LocalURL is the address of the service at the near end of a tunnel.
func (s Service) LocalURL(https string) string {
	if s.Port == 0 {
		return ""
	}
	scheme := "https"
	if https == HTTPSOff {
		scheme = "http"
	}
	return scheme + "://localhost:" + itoa(s.LocalPort())
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
// Qdrant /readyz and /, which need no key (qdrant src/actix/mod.rs), Crawl4AI /health, which needs no token (crawl4ai
// deploy/docker).
func Services(https string) []Service {
	return []Service{
		{Name: "n8n", Port: gatewayPort(https), HealthPath: "/healthz/readiness", Auth: "n8n login"},
		{Name: "ollama", Port: 11434, HealthPath: "/api/version", VersionPath: "/api/version", Auth: "bearer token"},
		{Name: "qdrant", Port: 6333, HealthPath: "/readyz", VersionPath: "/", Auth: "api key"},
		{Name: "crawl4ai", Port: 11235, HealthPath: "/health", VersionPath: "/health", Auth: "bearer token"},
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
