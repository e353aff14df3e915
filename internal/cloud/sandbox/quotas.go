package sandbox

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	quotatypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
)

// The quotas that the sandbox enforces.
const (
	quotaVPCs             = "L-F678F1CE"
	quotaGateways         = "L-A4707A72"
	quotaOnDemandStandard = "L-1216C47A"
	quotaOnDemandG        = "L-DB2E81BA"
	quotaOnDemandP        = "L-417A185B"
	quotaSpotStandard     = "L-34B43A08"
	quotaSpotG            = "L-3819A6DF"
	quotaSpotP            = "L-7212CCBC"
)

// quota is a limit of the account: what AWS gives to all, and what this account has been granted.
type quota struct {
	service, code, name string
	standard, applied   float64
}

// quotas lists what Service Quotas knows here. The applied values are those of an account that has been in use for a while.
func quotas() []quota {
	return []quota{
		{"vpc", quotaVPCs, "VPCs per Region", 5, 5},
		{"vpc", quotaGateways, "Internet gateways per Region", 5, 5},
		{"vpc", "L-0EA8095F", "Inbound or outbound rules per security group", 60, 60},
		{"vpc", "L-2AFB9258", "Security groups per network interface", 5, 5},
		{"vpc", "L-E79EC296", "VPC security groups per Region", 2500, 2500},
		{"ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5, 5},
		{"ec2", quotaOnDemandStandard, "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5, 64},
		{"ec2", quotaOnDemandG, "Running On-Demand G and VT instances", 0, 16},
		{"ec2", quotaOnDemandP, "Running On-Demand P instances", 0, 0},
		{"ec2", quotaSpotStandard, "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 5, 64},
		{"ec2", quotaSpotG, "All G and VT Spot Instance Requests", 0, 16},
		{"ec2", quotaSpotP, "All P4, P3 and P2 Spot Instance Requests", 0, 0},
	}
}

// SetQuota changes what an account may use, by the code of Service Quotas, for instance vCPUs of L-1216C47A (running
// on-demand standard instances).
func (a *Account) SetQuota(code string, value int) error {
	return a.update(func(s *state) error {
		made(&s.Quotas)
		s.Quotas[code] = float64(value)
		return nil
	})
}

// quota returns the applied value of a quota.
func (s *state) quota(code string) float64 {
	if value, ok := s.Quotas[code]; ok {
		return value
	}
	for _, q := range quotas() {
		if q.code == code {
			return q.applied
		}
	}
	return 0
}

// quotaFor is the code of the vCPU quota that a launch counts against. Spot and on demand are apart.
func quotaFor(t instanceType, spot bool) string {
	codes := map[string][2]string{
		"G and VT": {quotaOnDemandG, quotaSpotG},
		"P":        {quotaOnDemandP, quotaSpotP},
	}
	pair, ok := codes[t.bucket()]
	if !ok {
		pair = [2]string{quotaOnDemandStandard, quotaSpotStandard}
	}
	if spot {
		return pair[1]
	}
	return pair[0]
}

func registerQuotas(all map[string]operation) {
	on(all, serviceQuotas, "GetServiceQuota", getServiceQuota)
	on(all, serviceQuotas, "GetAWSDefaultServiceQuota", getDefaultServiceQuota)
	on(all, serviceQuotas, "ListServiceQuotas", listServiceQuotas)
}

func (c *call) showQuota(q quota, value float64) *quotatypes.ServiceQuota {
	return &quotatypes.ServiceQuota{
		ServiceCode: new(q.service), QuotaCode: new(q.code), QuotaName: new(q.name), Value: new(value), Adjustable: true,
		QuotaArn: new(c.arn("servicequotas", q.service+"/"+q.code)), Unit: new("None"),
	}
}

func quotaNamed(service, code *string) (quota, error) {
	all := quotas()
	i := slices.IndexFunc(all, func(q quota) bool { return q.service == deref(service) && q.code == deref(code) })
	if i < 0 {
		return quota{}, refuse("NoSuchResourceException", "The request failed because the specified quota %s of service %s "+
			"does not exist.", deref(code), deref(service))
	}
	return all[i], nil
}

func getServiceQuota(c *call, in *servicequotas.GetServiceQuotaInput) (*servicequotas.GetServiceQuotaOutput, error) {
	q, err := quotaNamed(in.ServiceCode, in.QuotaCode)
	if err != nil {
		return nil, err
	}
	return &servicequotas.GetServiceQuotaOutput{Quota: c.showQuota(q, c.state.quota(q.code))}, nil
}

func getDefaultServiceQuota(c *call, in *servicequotas.GetAWSDefaultServiceQuotaInput) (*servicequotas.GetAWSDefaultServiceQuotaOutput, error) {
	q, err := quotaNamed(in.ServiceCode, in.QuotaCode)
	if err != nil {
		return nil, err
	}
	return &servicequotas.GetAWSDefaultServiceQuotaOutput{Quota: c.showQuota(q, q.standard)}, nil
}

func listServiceQuotas(c *call, in *servicequotas.ListServiceQuotasInput) (*servicequotas.ListServiceQuotasOutput, error) {
	var found []quotatypes.ServiceQuota
	for _, q := range quotas() {
		if q.service == deref(in.ServiceCode) {
			found = append(found, *c.showQuota(q, c.state.quota(q.code)))
		}
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, 100)
	return &servicequotas.ListServiceQuotasOutput{Quotas: found, NextToken: next}, err
}
