package machine

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	machineAddress  = "10.77.0.2"
	worldAddress    = "10.77.0.1"
	metadataAddress = "169.254.169.254"
	networkName     = "machine" // of the machine's network namespace
)

// A World is all that the machine can reach: one cable, at whose other end every name of the internet that it knows is served.
type World struct {
	hosts     map[string]http.Handler
	authority *x509.Certificate
	key       *ecdsa.PrivateKey
	mu        sync.Mutex
	asked     map[string]int // requests by host
}

// NewWorld lays the cable and starts the servers; they end with the test. It refuses to work in the network of the computer.
func NewWorld(t *testing.T, hosts map[string]http.Handler, metadata http.Handler) *World {
	t.Helper()
	if links, err := net.Interfaces(); err != nil || len(links) != 1 {
		t.Fatalf("%d network interfaces (%v): the world needs a network namespace of its own: run it by `make machine`", len(links), err)
	}
	w := &World{hosts: hosts, asked: map[string]int{}}
	w.makeAuthority(t)
	for _, command := range []string{
		"ip link set lo up",
		"ip netns add " + networkName,
		"ip link add cable type veth peer name eth0 netns " + networkName,
		"ip address add " + worldAddress + "/24 dev cable",
		"ip address add " + metadataAddress + "/32 dev cable",
		"ip link set cable up",
		"ip -n " + networkName + " link set lo up",
		"ip -n " + networkName + " address add " + machineAddress + "/24 dev eth0",
		"ip -n " + networkName + " link set eth0 up",
		"ip -n " + networkName + " route add default via " + worldAddress,
	} {
		run(t, strings.Fields(command)...)
	}
	t.Cleanup(func() {
		run(t, "ip", "netns", "delete", networkName)
	})
	w.listen(t, worldAddress+":443", &tls.Config{GetCertificate: w.certificate}, http.HandlerFunc(w.serve))
	w.listen(t, metadataAddress+":80", nil, metadata)
	return w
}

// serve passes a request on to its host. The first request to every host fails, as it may on a machine that has just got
// its address.
func (w *World) serve(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.asked[r.Host]++
	first := w.asked[r.Host] == 1
	w.mu.Unlock()
	host, ok := w.hosts[r.Host]
	if !ok || first {
		http.Error(out, "not yet", http.StatusServiceUnavailable)
		return
	}
	host.ServeHTTP(out, r)
}

// Names is the machine's hosts file.
func (w *World) Names() string {
	var out strings.Builder
	out.WriteString("127.0.0.1 localhost machine\n")
	for host := range w.hosts {
		fmt.Fprintf(&out, "%s %s\n", worldAddress, host)
	}
	return out.String()
}

// Authority is the certificate that the machine is to trust.
func (w *World) Authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.authority.Raw})
}

func (w *World) makeAuthority(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "The world"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if w.authority, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	w.key = key
}

// certificate makes one for whatever name is asked for.
func (w *World) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{hello.ServerName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, w.authority, &w.key.PublicKey, w.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: w.key}, nil
}

func (w *World) listen(t *testing.T, address string, config *tls.Config, handler http.Handler) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	t.Cleanup(func() { _ = server.Close() })
	go server.Serve(listener)
}

// run runs a command and returns what it said; its failure is the test's.
func run(t *testing.T, words ...string) string {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// read returns a file of the preparation.
func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run setup.sh first", err)
	}
	return content
}
