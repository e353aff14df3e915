package sandbox_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	pricingtypes "github.com/aws/aws-sdk-go-v2/service/pricing/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"geusemaker/internal/cloud/sandbox"
)

func TestSpotPrices(t *testing.T) {
	inBubble(t, func(w *world) {
		now := w.account.Clock().Now()
		in := &ec2.DescribeSpotPriceHistoryInput{
			InstanceTypes: []ec2types.InstanceType{"t3.medium"}, StartTime: &now, ProductDescriptions: []string{"Linux/UNIX"},
		}
		current := must(w.ec2.DescribeSpotPriceHistory(w.ctx, in))(w).SpotPriceHistory
		if len(current) != 6 {
			w.Fatalf("%d prices in force, want one for each zone", len(current))
		}
		different := map[string]bool{}
		for _, price := range current {
			usd, err := strconv.ParseFloat(*price.SpotPrice, 64)
			if err != nil || usd < 0.25*0.0416 || usd > 0.60*0.0416 || price.Timestamp.After(now) {
				w.Errorf("price %s of %v", *price.SpotPrice, price.Timestamp)
			}
			different[*price.SpotPrice] = true
		}
		if len(different) < 4 {
			w.Errorf("the zones cost the same: %v", different)
		}
		in.StartTime = new(now.Add(-7 * 24 * time.Hour))
		week := must(w.ec2.DescribeSpotPriceHistory(w.ctx, in))(w).SpotPriceHistory
		if len(week) < 6*28 || week[0].Timestamp.Before(*week[len(week)-1].Timestamp) {
			w.Errorf("%d changes in a week, newest first", len(week))
		}
	})
}

func TestEveryTypeIsSoldSomewhereAndItsSpotPriceIsInRange(t *testing.T) {
	inBubble(t, func(w *world) {
		for _, region := range sandbox.Regions() {
			client := ec2.NewFromConfig(w.account.Config(region))
			zones := map[ec2types.InstanceType]int{}
			paginator := ec2.NewDescribeInstanceTypeOfferingsPaginator(client, &ec2.DescribeInstanceTypeOfferingsInput{
				LocationType: ec2types.LocationTypeAvailabilityZone,
			})
			for paginator.HasMorePages() {
				for _, offering := range must(paginator.NextPage(w.ctx))(w).InstanceTypeOfferings {
					zones[offering.InstanceType]++
				}
			}
			if len(zones) != 322 || zones["t3.medium"] < 3 {
				w.Errorf("%s: %d types, t3.medium in %d zones", region, len(zones), zones["t3.medium"])
			}
		}
	})
}

func TestPlacementScores(t *testing.T) {
	inBubble(t, func(w *world) {
		score := func(types ...string) int32 {
			out := must(w.ec2.GetSpotPlacementScores(w.ctx, &ec2.GetSpotPlacementScoresInput{
				InstanceTypes: types, TargetCapacity: new(int32(1)), SingleAvailabilityZone: new(true), RegionNames: []string{home},
			}))(w).SpotPlacementScores
			if len(out) != 6 || out[0].AvailabilityZoneId == nil {
				w.Fatalf("scores %+v", out)
			}
			return *out[0].Score
		}
		if few, many := score("t3.medium"), score("t3.medium", "t3.large", "m6i.large"); few > 3 || many < 4 {
			w.Errorf("one type scores %d, three score %d", few, many)
		}
	})
}

func TestImages(t *testing.T) {
	cases := []struct {
		parameter, owner, root, arch string
		gib                          int32
	}{
		{ubuntu, "099720109477", "/dev/sda1", "x86_64", 8},
		{"/aws/service/canonical/ubuntu/server/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id", "099720109477", "/dev/sda1", "arm64", 8},
		{"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64", "137112412989", "/dev/xvda", "arm64", 8},
		{"/aws/service/ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-x86_64-gp2", "137112412989", "/dev/xvda", "x86_64", 8},
		{"/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id", "898082745236", "/dev/sda1", "x86_64", 75},
		{"/aws/service/deeplearning/ami/arm64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id", "898082745236", "/dev/xvda", "arm64", 75},
		{"/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-pytorch-2.12-ubuntu-24.04/latest/ami-id", "898082745236", "/dev/sda1", "x86_64", 75},
	}
	for _, test := range cases {
		t.Run(test.parameter, func(t *testing.T) {
			inBubble(t, func(w *world) {
				id := w.parameter(test.parameter)
				image := must(w.ec2.DescribeImages(w.ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}}))(w).Images[0]
				if *image.OwnerId != test.owner || *image.RootDeviceName != test.root || string(image.Architecture) != test.arch ||
					*image.BlockDeviceMappings[0].Ebs.VolumeSize != test.gib {
					w.Errorf("image %+v", image)
				}
				created, err := time.Parse("2006-01-02T15:04:05.000Z", *image.CreationDate)
				if err != nil || created.After(w.account.Clock().Now()) {
					w.Errorf("created %s", *image.CreationDate)
				}
			})
		})
	}
	t.Run("names find images of their owner, the newest and not deprecated", func(t *testing.T) {
		inBubble(t, func(w *world) {
			search := func(owner, name string) int {
				return len(must(w.ec2.DescribeImages(w.ctx, &ec2.DescribeImagesInput{Owners: []string{owner}, Filters: []ec2types.Filter{
					{Name: new("name"), Values: []string{name}}, {Name: new("architecture"), Values: []string{"x86_64"}},
				}}))(w).Images)
			}
			if n := search("898082745236", "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) ????????"); n != 1 {
				w.Errorf("%d Deep Learning images", n)
			}
			if n := search("099720109477", "Deep Learning*"); n != 0 {
				w.Errorf("Canonical publishes %d Deep Learning images", n)
			}
			if n := search("137112412989", "amzn2-*"); n != 0 {
				w.Errorf("%d deprecated images are shown", n)
			}
		})
	})
}

func TestThePriceList(t *testing.T) {
	inBubble(t, func(w *world) {
		filters := map[string]string{
			"regionCode": home, "operatingSystem": "Linux", "preInstalledSw": "NA", "capacitystatus": "Used", "tenancy": "Shared",
			"instanceType": "t3.medium",
		}
		in := &pricing.GetProductsInput{ServiceCode: new("AmazonEC2")}
		for field, value := range filters {
			in.Filters = append(in.Filters, pricingtypes.Filter{Field: &field, Type: pricingtypes.FilterTypeTermMatch, Value: &value})
		}
		list := must(w.pricing.GetProducts(w.ctx, in))(w).PriceList
		if len(list) != 1 {
			w.Fatalf("%d products", len(list))
		}
		var product struct {
			Product struct{ Attributes map[string]string }
			Terms   struct {
				OnDemand map[string]struct {
					PriceDimensions map[string]struct {
						Unit         string
						PricePerUnit map[string]string
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(list[0]), &product); err != nil {
			w.Fatal(err)
		}
		for _, term := range product.Terms.OnDemand {
			for _, dimension := range term.PriceDimensions {
				if dimension.PricePerUnit["USD"] != "0.0416000000" || dimension.Unit != "Hrs" {
					w.Errorf("dimension %+v", dimension)
				}
			}
		}
		if product.Product.Attributes["instanceType"] != "t3.medium" {
			w.Errorf("attributes %v", product.Product.Attributes)
		}
	})
}

func TestServiceQuotas(t *testing.T) {
	inBubble(t, func(w *world) {
		get := func(code string) (*servicequotas.GetServiceQuotaOutput, error) {
			return w.quotas.GetServiceQuota(w.ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: new("ec2"), QuotaCode: &code})
		}
		w.ok(nil, w.account.SetQuota("L-DB2E81BA", 4))
		if value := *must(get("L-DB2E81BA"))(w).Quota.Value; value != 4 {
			w.Errorf("applied %v", value)
		}
		standard := must(w.quotas.GetAWSDefaultServiceQuota(w.ctx, &servicequotas.GetAWSDefaultServiceQuotaInput{
			ServiceCode: new("ec2"), QuotaCode: new("L-DB2E81BA"),
		}))(w)
		if *standard.Quota.Value != 0 {
			w.Errorf("default %v", *standard.Quota.Value)
		}
		w.refused("NoSuchResourceException")(get("L-00000000"))
	})
}
