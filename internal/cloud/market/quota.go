package market

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/smithy-go"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// bucket is a quota of vCPUs, under which all types of some classes fall together. Spot and on-demand have their own.
type bucket struct{ name, onDemand, spot string }

// bucketOf finds the bucket of a type (EC2 user guide, "On-Demand Instance quotas" and "Spot Instance quotas"). Of the
// classes that are not here the quota is not asked.
func bucketOf(t machineType) (bucket, bool) {
	switch t.class() {
	case "a", "c", "d", "h", "i", "m", "r", "t", "z":
		return bucket{"standard (A, C, D, H, I, M, R, T, Z)", "L-1216C47A", "L-34B43A08"}, true
	case "g", "gr", "vt":
		return bucket{"G and VT", "L-DB2E81BA", "L-3819A6DF"}, true
	case "p":
		if t.generation() >= 5 {
			return bucket{"P", "L-417A185B", "L-C4BD4855"}, true
		}
		return bucket{"P", "L-417A185B", "L-7212CCBC"}, true
	default:
		return bucket{}, false
	}
}

func (b bucket) code(market string) string {
	if market == stack.Spot {
		return b.spot
	}
	return b.onDemand
}

// limits are the values of vCPU quotas by their code. What is not known does not limit.
type limits map[string]int

// usage is how many vCPUs of each quota are in use, by its code. A nil usage is not known.
type usage map[string]int

// check returns a *QuotaError when what is left of the quota is smaller than the type.
func (l limits) check(t machineType, market string, used usage) error {
	b, known := bucketOf(t)
	if !known {
		return nil
	}
	have, known := l[b.code(market)]
	if !known || have-used[b.code(market)] >= t.vcpus {
		return nil
	}
	return &QuotaError{Type: t.name, Market: market, Bucket: b.name, Code: b.code(market), Have: have, Used: used[b.code(market)], Need: t.vcpus}
}

// QuotaError says that a quota of the account is smaller than the machine. It answers like the error that the launch would
// have met, so that it is classified and explained like it.
type QuotaError struct {
	Type, Market string
	Bucket, Code string // of the quota
	Have, Need   int    // vCPUs
	Used         int    // of Have, as far as it was asked
}

var _ smithy.APIError = (*QuotaError)(nil)

func (e *QuotaError) Error() string { return e.ErrorMessage() }

// ErrorCode implements smithy.APIError with the codes that EC2 uses at launch.
func (e *QuotaError) ErrorCode() string {
	if e.Market == stack.Spot {
		return "MaxSpotInstanceCountExceeded"
	}
	return "VcpuLimitExceeded"
}

// ErrorMessage implements smithy.APIError.
func (e *QuotaError) ErrorMessage() string {
	use := ""
	if e.Used > 0 {
		use = fmt.Sprintf(", of which %d are in use", e.Used)
	}
	return fmt.Sprintf("%s %s needs %d vCPUs, and the account's %s quota of %s is %d%s (ask for more: %s)",
		e.Market, e.Type, e.Need, e.Market, e.Bucket, e.Have, use, quotaPage("ec2", e.Code))
}

// quotaPage is where more of a quota is asked for.
func quotaPage(service, code string) string {
	return "https://console.aws.amazon.com/servicequotas/home/services/" + service + "/quotas/" + code
}

// ErrorFault implements smithy.APIError.
func (e *QuotaError) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// askQuotas asks for the quotas under which the candidates fall.
func (s *survey) askQuotas(ctx context.Context, m *Market, c stack.Config) []string {
	wanted := map[string]bool{}
	for _, t := range s.candidates {
		for _, market := range markets(c) {
			if b, known := bucketOf(t); known {
				wanted[b.code(market)] = true
			}
		}
	}
	var mu sync.Mutex
	found := limits{}
	var questions []func() error
	for code := range wanted {
		questions = append(questions, func() error {
			value, err := m.quota(ctx, "ec2", code)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			found[code] = value
			return nil
		})
	}
	err := together(questions...)
	s.limits = found
	if err != nil {
		return []string{"the account's vCPU quotas are not known (" + because(err) + "); the launch will tell whether they suffice"}
	}
	return nil
}

func fewQuotaAttempts(o *servicequotas.Options) { o.RetryMaxAttempts = fewAttempts }

// quota is the value of a quota. Where the account has none of its own, the default of AWS holds (Service Quotas API
// reference, "GetServiceQuota").
func (m *Market) quota(ctx context.Context, service, code string) (int, error) {
	own, err := m.clients.Quotas.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: &service, QuotaCode: &code}, fewQuotaAttempts)
	if err == nil && own.Quota != nil && own.Quota.Value != nil {
		return int(aws.ToFloat64(own.Quota.Value)), nil
	}
	if err != nil && !api.IsNotFound(err) {
		return 0, err
	}
	standard, err := m.clients.Quotas.GetAWSDefaultServiceQuota(ctx, &servicequotas.GetAWSDefaultServiceQuotaInput{ServiceCode: &service, QuotaCode: &code}, fewQuotaAttempts)
	if err != nil {
		return 0, err
	}
	if standard.Quota == nil || standard.Quota.Value == nil {
		return 0, fmt.Errorf("quota %s of %s has no value", code, service)
	}
	return int(*standard.Quota.Value), nil
}
