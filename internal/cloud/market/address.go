package market

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"geusemaker/internal/stack"
)

// AddressFinder finds the address from which the services will see their user, as a range such as 203.0.113.7/32.
type AddressFinder func(context.Context) (cidr string, err error)

// AWS's own services that answer with the caller's address: the second steps in when the first does not answer. Nobody
// else's is asked, since whoever answers decides to whom the services are opened.
const (
	checkIP        = "https://checkip.amazonaws.com"
	checkIPToo     = "https://checkip.global.api.aws"
	checkIPTimeout = 3 * time.Second
)

// CheckIP finds the address by asking AWS. The client must go out over IPv4: the machine has no other address.
func CheckIP(client *http.Client) AddressFinder {
	return func(ctx context.Context) (string, error) {
		cidr, err := askAddress(ctx, client, checkIP)
		if err == nil || ctx.Err() != nil {
			return cidr, err
		}
		cidr, second := askAddress(ctx, client, checkIPToo)
		if second != nil {
			return "", fmt.Errorf("neither %s nor %s could be asked, is this computer online?: %w", host(checkIP), host(checkIPToo), err)
		}
		return cidr, nil
	}
}

func host(service string) string { return strings.TrimPrefix(service, "https://") }

func askAddress(ctx context.Context, client *http.Client, service string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, checkIPTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, service, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	body, err := io.ReadAll(io.LimitReader(response.Body, 64))
	if err != nil {
		return "", err
	}
	addr, err := netip.ParseAddr(strings.TrimSpace(string(body)))
	if err != nil || response.StatusCode != http.StatusOK || !addr.Is4() {
		return "", fmt.Errorf("%s answered %s: %q", service, response.Status, body)
	}
	return netip.PrefixFrom(addr, addr.BitLen()).String(), nil
}

// callerCIDR is the caller's address as a range, "" where the configuration does not use it.
func (m *Market) callerCIDR(ctx context.Context, c stack.Config) (string, error) {
	key := ""
	switch {
	case c.Access == stack.AccessDirect && slices.Contains(c.AllowCIDRs, stack.MyIP):
		key = "allow_cidrs"
	case c.SSHCIDR == stack.MyIP:
		key = "ssh_cidr"
	default:
		return "", nil
	}
	cidr, err := m.address(ctx)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", &stack.FieldError{
			Key: key, Source: c.SourceOf(key), Problem: fmt.Sprintf("could not find your address (%v)", err),
			Fix: "set " + key + " to your own address range, such as 203.0.113.7/32",
		}
	}
	return cidr, nil
}
