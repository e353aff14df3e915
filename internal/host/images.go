package host

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Images returns the container image that each service runs unless the user overrides it. Tags are exact: n8n, Qdrant and
// PostgreSQL change their data on upgrade and do not change it back.
func Images() map[string]string {
	return map[string]string{
		// The stable release of October 2026. Two security fixes came in 2.25 and 2.26, so never below; 3.0 moves binary data
		// (n8n docs, "v3.0 breaking changes"), so a floating tag could cross a major.
		"n8n": "n8nio/n8n:2.42.3",
		// From 0.17.1 on for CVE-2026-7482. The tag without suffix serves CPU and NVIDIA GPU on both architectures (ollama
		// Dockerfile).
		"ollama": "ollama/ollama:0.34.2",
		// The last patch of 1.19: Qdrant is upgraded one minor at a time.
		"qdrant": "qdrant/qdrant:v1.19.2",
		// 0.9.0 to 0.9.2 do not start under common settings (crawl4ai issues 2027, 2064, 2078); 0.9.4 closes two ways to
		// reach internal addresses.
		"crawl4ai": "unclecode/crawl4ai:0.9.4",
		// 17 is the newest major that n8n supports besides 18, which moved its data directory. The Debian release is pinned
		// too: another libc could sort text differently and so break indexes.
		"postgres": "postgres:17.11-bookworm",
		"gateway":  "caddy:2.11.4-alpine",
	}
}

// imageReference is what Docker takes, short of the rare forms (distribution, reference/regexp.go). It keeps every
// character out that a shell or a URL could misread.
var imageReference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9][A-Za-z0-9._/-]*(:[0-9]+/[A-Za-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?$`)
})

// chosenImages merges the user's images over ours. A name without an exact version is refused: what it means changes under
// the data.
func chosenImages(override map[string]string) (map[string]string, error) {
	images := Images()
	for _, service := range slices.Sorted(maps.Keys(override)) {
		image := override[service]
		if _, ok := images[service]; !ok {
			return nil, unknownService("services", service)
		}
		if !imageReference().MatchString(image) {
			return nil, fmt.Errorf("services: %q is no image reference for %s: write name:tag", image, service)
		}
		_, tag, _ := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
		if tag == "" || tag == "latest" || tag == "stable" {
			return nil, fmt.Errorf("services: image %q of %s floats: write name:tag with an exact version, or name@sha256:digest", image, service)
		}
		images[service] = image
	}
	return images, nil
}

// unknownService is the error for a service that the machine does not run.
func unknownService(setting, service string) error {
	return fmt.Errorf("%s: unknown service %q: use one of %s", setting, service,
		strings.Join(slices.Sorted(maps.Keys(Images())), ", "))
}
