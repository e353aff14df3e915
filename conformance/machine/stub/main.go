// Command stub plays the services of the stack inside their containers: it speaks each one's health protocol, demands the
// environment and the login that the real one demands, and keeps what it is given where the real one keeps it. It is the
// entry point of all images but the gateway's; the name under which it is called chooses the part.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	parts := map[string]func([]string) error{
		"n8n": n8n, "ollama": ollama, "qdrant": qdrant, "crawl4ai": crawl4ai, "postgres-entrypoint": postgres,
	}
	part, ok := parts[filepath.Base(os.Args[0])]
	if !ok {
		log.Fatalf("no part is called %s", os.Args[0])
	}
	if err := part(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

// demand returns the variables' values; one that is missing is an error.
func demand(names ...string) (map[string]string, error) {
	values := map[string]string{}
	for _, name := range names {
		if values[name] = os.Getenv(name); values[name] == "" {
			return nil, fmt.Errorf("%s is not set", name)
		}
	}
	return values, nil
}

// serve answers until it is told to stop, and says so in the log.
func serve(address string, handler http.Handler) error {
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		log.Print("stopping")
		_ = server.Close() // nothing is in flight that matters
	}()
	log.Printf("listening on %s", address)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// answer writes a JSON text.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
