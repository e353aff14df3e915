package market

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// build is an image as DescribeImages shows it. The disk that counts is not the first.
func build(id, name, owner, arch, root string, gib int32, age time.Duration) ec2types.Image {
	return ec2types.Image{
		ImageId: new(id), Name: new(name), OwnerId: new(owner), Architecture: ec2types.ArchitectureValues(arch),
		State: ec2types.ImageStateAvailable, RootDeviceName: new(root), CreationDate: new(today.Add(-age).Format("2006-01-02T15:04:05.000Z")),
		BlockDeviceMappings: []ec2types.BlockDeviceMapping{
			{DeviceName: new("/dev/sdb"), VirtualName: new("ephemeral0")},
			{DeviceName: new("/dev/sdc"), Ebs: &ec2types.EbsBlockDevice{VolumeSize: new(int32(1))}},
			{DeviceName: new(root), Ebs: &ec2types.EbsBlockDevice{VolumeSize: new(gib)}},
		},
	}
}

// The state of every combination of os_type, architecture and ami_type: x86_64 and arm64 side by side.
func TestEveryCombinationHasAState(t *testing.T) {
	want := `ubuntu-24.04 standard: available available
ubuntu-24.04 base: available available
ubuntu-24.04 pytorch: available available
ubuntu-24.04 tensorflow: never never
ubuntu-24.04 multi-framework: never never
ubuntu-22.04 standard: available available
ubuntu-22.04 base: available available
ubuntu-22.04 pytorch: discontinued discontinued
ubuntu-22.04 tensorflow: discontinued never
ubuntu-22.04 multi-framework: never never
amazon-linux-2023 standard: available available
amazon-linux-2023 base: available available
amazon-linux-2023 pytorch: available available
amazon-linux-2023 tensorflow: discontinued never
amazon-linux-2023 multi-framework: never never
amazon-linux-2 standard: discontinued discontinued
amazon-linux-2 base: discontinued discontinued
amazon-linux-2 pytorch: discontinued never
amazon-linux-2 tensorflow: discontinued never
amazon-linux-2 multi-framework: discontinued never
`
	var got strings.Builder
	all := Combinations()
	for i := 0; i+1 < len(all); i += 2 {
		a, b := all[i], all[i+1]
		if a.OSType != b.OSType || a.AMIType != b.AMIType || a.Architecture != x86 || b.Architecture != arm {
			t.Fatalf("%v and %v do not go together", a, b)
		}
		fmt.Fprintf(&got, "%s %s: %s %s\n", a.OSType, a.AMIType, a.State, b.State)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

// Every combination that exists resolves to the image of its first parameter; all others are refused without a call, with
// what to use instead.
func TestEveryCombinationResolvesOrIsRefusedBeforeAnyCall(t *testing.T) {
	for _, c := range Combinations() {
		t.Run(c.OSType+" "+c.Architecture+" "+c.AMIType, func(t *testing.T) {
			f := rich()
			for _, l := range lines() {
				if l.os != c.OSType || l.arch != c.Architecture || l.kind != c.AMIType {
					continue
				}
				for i, one := range l.images {
					id := fmt.Sprintf("ami-0%d", i)
					name := strings.NewReplacer("{date}", "20261001", "{serial}", "20261001", "{version}", "9.20261001.0").Replace(one.name)
					f.images = append(f.images, build(id, name, l.owner(), l.arch, c.RootDevice, 33, time.Hour))
					if one.parameter != "" {
						f.params[one.parameter] = id
					}
				}
			}
			cfg := config("os_type="+c.OSType, "architecture="+c.Architecture, "ami_type="+c.AMIType)
			_, _, err := f.market().Image(t.Context(), cfg)
			refused, isRefused := errors.AsType[*stack.FieldError](err)
			if isRefused != (c.State != Available) || !isRefused && err != nil {
				t.Fatalf("state %s, error %v", c.State, err)
			}
			if isRefused && (len(f.calls) > 0 || refused.Fix == "" || !strings.Contains(refused.Fix, c.Instead) || refused.Key != "os_type" && refused.Key != "ami_type") {
				t.Errorf("after calls %v: %+v", f.calls, refused)
			}
			if err := f.market().Check(cfg); (err != nil) != isRefused {
				t.Errorf("Check says %v", err)
			}

			cfg.AllowDiscontinued = true
			image, warnings, err := f.market().Image(t.Context(), cfg)
			if (err != nil) != (c.State == Never) {
				t.Fatalf("with allow_discontinued: %v", err)
			}
			if c.State == Never {
				return
			}
			if (c.State == Discontinued) != (len(warnings) > 0) {
				t.Errorf("warnings: %q", warnings)
			}
			want := stack.Image{
				ID: "ami-00", Name: *f.images[0].Name, Owner: *f.images[0].OwnerId, OSType: c.OSType, Architecture: c.Architecture,
				AMIType: c.AMIType, CreatedAt: today.Add(-time.Hour), Source: image.Source, RootDevice: c.RootDevice, RootGiB: 33, LoginUser: c.LoginUser,
			}
			if diff := cmp.Diff(want, image); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Parameters and names as AWS's and Canonical's documentation, release notes and own code spell them.
func TestParametersAndNamesAreThePublishedOnes(t *testing.T) {
	want := map[string]string{
		"/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id":                    "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*",
		"/aws/service/canonical/ubuntu/server/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id":                    "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-*",
		"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64":                                 "al2023-ami-2023.*-kernel-*-x86_64",
		"/aws/service/ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-arm64-gp2":                              "amzn2-ami-kernel-5.10-hvm-2.0.*-arm64-gp2",
		"/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id":            "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) ????????",
		"/aws/service/deeplearning/ami/arm64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id":        "Deep Learning ARM64 Base OSS Nvidia Driver GPU AMI (Amazon Linux 2023) ????????",
		"/aws/service/deeplearning/ami/x86_64/base-with-single-cuda-amazon-linux-2023/latest/ami-id":            "Deep Learning Base AMI with Single CUDA (Amazon Linux 2023) ????????",
		"/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-pytorch-2.12-ubuntu-24.04/latest/ami-id":    "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.12 (Ubuntu 24.04) ????????",
		"/aws/service/deeplearning/ami/arm64/oss-nvidia-driver-gpu-pytorch-2.7-ubuntu-22.04/latest/ami-id":      "Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch 2.7 (Ubuntu 22.04) ????????",
		"/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-tensorflow-2.18-ubuntu-22.04/latest/ami-id": "Deep Learning OSS Nvidia Driver AMI GPU TensorFlow 2.18 (Ubuntu 22.04) ????????",
		"/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-amazon-linux-2/latest/ami-id":              "Deep Learning Base OSS Nvidia Driver AMI (Amazon Linux 2) Version *",
		"/aws/service/deeplearning/ami/x86_64/multi-framework-oss-nvidia-driver-amazon-linux-2/latest/ami-id":   "Deep Learning OSS Nvidia Driver AMI (Amazon Linux 2) Version *",
	}
	got := map[string]string{}
	for _, l := range lines() {
		for _, one := range l.images {
			if _, asked := want[one.parameter]; asked {
				got[one.parameter] = one.search()
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSearchByNameTakesNoLookalike(t *testing.T) {
	const day = 24 * time.Hour
	name := "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-"
	f := rich()
	f.images = []ec2types.Image{
		build("ami-0old", name+"20260901", ownerCanonical, x86, "/dev/sda1", 8, 40*day),
		build("ami-0right", name+"20261002.1", ownerCanonical, x86, "/dev/sda1", 8, 8*day),
		build("ami-0else", name+"20261009-nvidia", ownerCanonical, x86, "/dev/sda1", 8, day),
		build("ami-0thief", name+"20261009", "666666666666", x86, "/dev/sda1", 8, day),
		build("ami-0arch", name+"20261009", ownerCanonical, arm, "/dev/sda1", 8, day),
	}
	image, warnings, err := f.market().Image(t.Context(), config())
	if err != nil || image.ID != "ami-0right" || image.Source != "DescribeImages "+name+"*" || len(warnings) > 0 {
		t.Errorf("got %+v, %q, %v", image, warnings, err)
	}
}

func TestSearchByNamePrefersTheBetterLineToTheNewerBuild(t *testing.T) {
	f := rich()
	f.images = []ec2types.Image{
		build("ami-0cuda", "Deep Learning Base AMI with Single CUDA (Ubuntu 24.04) 20261009", ownerDeepLearning, x86, "/dev/sda1", 40, time.Hour),
		build("ami-0base", "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) 20260925", ownerDeepLearning, x86, "/dev/sda1", 75, 400*time.Hour),
	}
	image, _, err := f.market().Image(t.Context(), config("ami_type=base"))
	if err != nil || image.ID != "ami-0base" {
		t.Errorf("got %+v, %v", image, err)
	}
}

func TestNextParameterIsTakenWhereTheFirstDoesNotExist(t *testing.T) {
	f := rich()
	f.params["/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-pytorch-2.11-ubuntu-24.04/latest/ami-id"] = "ami-0torch"
	f.images = []ec2types.Image{build("ami-0torch", "any", ownerDeepLearning, x86, "/dev/sda1", 75, time.Hour)}
	image, warnings, err := f.market().Image(t.Context(), config("ami_type=pytorch"))
	if err != nil || image.ID != "ami-0torch" || !strings.Contains(image.Source, "pytorch-2.11") || len(warnings) > 0 {
		t.Errorf("got %+v, %q, %v", image, warnings, err)
	}
}

// The last image of a line that has ended is deprecated: its parameter, where there is one, still leads to it, and a search by
// name finds it only when it asks for deprecated images. Of lines that are kept up, deprecated images are not taken.
func TestTheLastImageOfAnEndedLineIsFound(t *testing.T) {
	old := func(id, name, owner, arch, root string) ec2types.Image {
		image := build(id, name, owner, arch, root, 75, 400*24*time.Hour)
		image.DeprecationTime = new(today.Add(-30 * 24 * time.Hour).Format(time.RFC3339))
		return image
	}
	for name, tt := range map[string]struct {
		changes   string
		image     ec2types.Image
		parameter string
		source    string // "": it is not found
	}{
		"by its parameter": {
			"os_type=ubuntu-22.04 ami_type=tensorflow allow_discontinued=true",
			old("ami-0flow", "Deep Learning OSS Nvidia Driver AMI GPU TensorFlow 2.18 (Ubuntu 22.04) 20250905", ownerDeepLearning, x86, "/dev/sda1"),
			"/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-tensorflow-2.18-ubuntu-22.04/latest/ami-id",
			"/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-tensorflow-2.18-ubuntu-22.04/latest/ami-id",
		},
		"by its name": {
			"os_type=amazon-linux-2 ami_type=pytorch allow_discontinued=true",
			old("ami-0torch", "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.3.0 (Amazon Linux 2) 20240806", ownerDeepLearning, x86, "/dev/xvda"),
			"", "DescribeImages Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.* (Amazon Linux 2) ????????",
		},
		"on arm64 by its name": {
			"os_type=amazon-linux-2 architecture=arm64 ami_type=base allow_discontinued=true",
			old("ami-0arm", "Deep Learning ARM64 Base OSS Nvidia Driver GPU AMI (Amazon Linux 2) 20260519", ownerDeepLearning, arm, "/dev/xvda"),
			"", "DescribeImages Deep Learning ARM64 Base OSS Nvidia Driver GPU AMI (Amazon Linux 2) ????????",
		},
		"not of a line that is kept up": {
			"os_type=ubuntu-24.04 allow_discontinued=true",
			old("ami-0noble", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20240905", ownerCanonical, x86, "/dev/sda1"),
			"", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := rich()
			f.images = []ec2types.Image{tt.image}
			if tt.parameter != "" {
				f.params[tt.parameter] = *tt.image.ImageId
			}
			image, warnings, err := f.market().Image(t.Context(), config(strings.Fields(tt.changes)...))
			if tt.source == "" {
				if err == nil {
					t.Errorf("found %+v", image)
				}
				return
			}
			if err != nil || image.ID != *tt.image.ImageId || image.Source != tt.source {
				t.Fatalf("%+v, %v", image, err)
			}
			all := strings.Join(warnings, "\n")
			if !strings.Contains(all, "gets no security updates") || !strings.Contains(all, "was deprecated on 2026-09-10") {
				t.Errorf("warnings %q", warnings)
			}
		})
	}
}

func TestDeniedParameterFallsBackToTheName(t *testing.T) {
	f := rich()
	f.refusals["GetParameter"] = refusal("AccessDeniedException", "no")
	f.images = []ec2types.Image{build("ami-0x", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20261002", ownerCanonical, x86, "/dev/sda1", 8, time.Hour)}
	image, warnings, err := f.market().Image(t.Context(), config())
	if err != nil || image.ID != "ami-0x" || len(warnings) != 1 || !strings.Contains(warnings[0], "searched by name") {
		t.Errorf("got %+v, %q, %v", image, warnings, err)
	}
}

func TestOldAndDeprecatedImagesAreWarnedOf(t *testing.T) {
	const parameter = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
	for _, tt := range []struct {
		age        time.Duration
		deprecated time.Duration // from now
		want       string
	}{
		{59 * 24 * time.Hour, time.Hour, ""},
		{61 * 24 * time.Hour, time.Hour, "61 days old"},
		{time.Hour, -time.Hour, "deprecated on 2026-10-10"},
	} {
		f := rich()
		image := build("ami-0x", "noble", ownerCanonical, x86, "/dev/sda1", 8, tt.age)
		image.DeprecationTime = new(today.Add(tt.deprecated).Format(time.RFC3339))
		f.images, f.params[parameter] = []ec2types.Image{image}, "ami-0x"
		_, warnings, err := f.market().Image(t.Context(), config())
		if err != nil || (tt.want == "") != (len(warnings) == 0) || !strings.Contains(strings.Join(warnings, ""), tt.want) {
			t.Errorf("%+v: %q, %v", tt, warnings, err)
		}
	}
}

func TestAmazonLinuxServesWhereNobodyChoseAnOSAndUbuntuIsMissing(t *testing.T) {
	f := rich()
	f.params["/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"] = "ami-0al"
	f.images = []ec2types.Image{build("ami-0al", "al2023", ownerAmazonLinux, x86, "/dev/xvda", 8, time.Hour)}
	image, warnings, err := f.market().Image(t.Context(), config())
	if err != nil || image.OSType != "amazon-linux-2023" || image.LoginUser != "ec2-user" || len(warnings) != 1 || !strings.Contains(warnings[0], "amazon-linux-2023") {
		t.Errorf("got %+v, %q, %v", image, warnings, err)
	}
	if _, _, err := f.market().Image(t.Context(), config("os_type=ubuntu-24.04")); err == nil || !strings.Contains(err.Error(), "ubuntu-24.04") {
		t.Errorf("a chosen os_type is not replaced, but got %v", err)
	}
}

func TestOwnImageIsChecked(t *testing.T) {
	f := rich()
	mine := build("ami-0mine", "golden", f.account, x86, "/dev/sda1", 20, 400*24*time.Hour)
	pending := build("ami-0new", "new", f.account, x86, "/dev/sda1", 20, time.Hour)
	pending.State = ec2types.ImageStatePending
	rootless := build("ami-0none", "none", f.account, x86, "/dev/sda1", 20, time.Hour)
	rootless.BlockDeviceMappings = nil
	f.images = []ec2types.Image{mine, pending, rootless, build("ami-0arm", "arm", f.account, arm, "/dev/sda1", 20, time.Hour)}
	for id, want := range map[string]string{
		"ami-0mine": "", "ami-0new": "is pending", "ami-0arm": "set architecture to arm64", "ami-0none": "no EBS root volume", "ami-0gone": "there is no image",
	} {
		cfg := config("os_type=amazon-linux-2", "ami_type=tensorflow") // what the table refuses does not matter here
		cfg.AMIID = id
		image, _, err := f.market().Image(t.Context(), cfg)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", id, err)
		}
		if want == "" && (image.RootGiB != 20 || image.Source != "ami_id") {
			t.Errorf("%s: %+v", id, image)
		}
	}
	f.refusals["DescribeImages"] = refusal("InvalidAMIID.NotFound", "The image id '[ami-0gone]' does not exist")
	cfg := config()
	cfg.AMIID = "ami-0gone"
	if _, _, err := f.market().Image(t.Context(), cfg); api.Classify(err) != api.KindOther || !strings.Contains(err.Error(), "ami_id") {
		t.Errorf("got %v", err)
	}
}

// Only the publishers whose numbers are known are searched by number; in other partitions the alias has to do.
func TestPublisherByPartition(t *testing.T) {
	ubuntu, deepLearning := line{os: ubuntu2404, kind: standard}, line{os: ubuntu2404, kind: base}
	for _, tt := range []struct {
		region       string
		line         line
		owner, alias string
	}{
		{"eu-west-1", ubuntu, "099720109477", ""},
		{"us-gov-west-1", ubuntu, "513442679011", ""},
		{"cn-north-1", ubuntu, "837727238323", ""},
		{"eu-west-1", deepLearning, "898082745236", ""},
		{"us-gov-west-1", deepLearning, "", "amazon"},
	} {
		if owner, alias := publisher(tt.region, tt.line); owner != tt.owner || alias != tt.alias {
			t.Errorf("%+v: %q %q", tt, owner, alias)
		}
	}
}
