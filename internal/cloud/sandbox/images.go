package sandbox

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// The accounts that publish the images of the sandbox: Canonical, Amazon Linux, and the Deep Learning AMIs.
const (
	ownerCanonical    = "099720109477"
	ownerAmazonLinux  = "137112412989"
	ownerDeepLearning = "898082745236"
)

// line is a series of images, of which public Systems Manager parameters name the newest.
type line struct {
	parameters []string
	name       string // DATE stands for the build's date, 20060102
	owner      string
	arch       ec2types.ArchitectureValues
	root       string // device
	gib        int32  // of the root snapshot
	age        int    // days since the newest build; more than 365: the line has ended
}

// image is one build of a line in one region.
type image struct {
	line
	ID       string
	Name     string
	Snapshot string
	Created  time.Time
}

// deprecated images are left out of searches unless asked for (EC2 user guide, "Deprecate an Amazon EC2 AMI"; the owners'
// periods are 90 days for Amazon Linux and two years for the others).
func (i image) deprecation() time.Time {
	if i.owner == ownerAmazonLinux {
		return i.Created.Add(90 * 24 * time.Hour)
	}
	return i.Created.Add(2 * 365 * 24 * time.Hour)
}

const (
	deepLearningPath = "/aws/service/deeplearning/ami/"
	amazonLinuxPath  = "/aws/service/ami-amazon-linux-latest/"
	canonicalPath    = "/aws/service/canonical/ubuntu/server/"
)

// lines lists every series that the sandbox knows. Names and parameter names: Ubuntu on AWS documentation, "Find Ubuntu
// images"; Amazon Linux 2023 user guide, "Launching with SSM parameters"; AWS Deep Learning AMIs developer guide, "Finding a
// DLAMI ID" and its release notes.
func lines() []line {
	var all []line
	for _, arch := range []ec2types.ArchitectureValues{ec2types.ArchitectureValuesX8664, ec2types.ArchitectureValuesArm64} {
		all = append(all, ubuntuLine("22.04", "jammy", "gp2", arch, 9), ubuntuLine("24.04", "noble", "gp3", arch, 6))
		all = append(all, amazonLinuxLines(arch)...)
		for _, system := range []string{"Amazon Linux 2023", "Ubuntu 22.04", "Ubuntu 24.04"} {
			all = append(all, deepLearningLines(arch, system)...)
		}
	}
	return append(all, endedLines()...)
}

func ubuntuLine(version, codename, volume string, arch ec2types.ArchitectureValues, age int) line {
	token, family := string(arch), "hvm-ssd"
	if arch == ec2types.ArchitectureValuesX8664 {
		token = "amd64"
	}
	if volume == "gp3" {
		family = "hvm-ssd-gp3"
	}
	return line{
		parameters: []string{canonicalPath + version + "/stable/current/" + token + "/hvm/ebs-" + volume + "/ami-id"},
		name:       "ubuntu/images/" + family + "/ubuntu-" + codename + "-" + version + "-" + token + "-server-DATE",
		owner:      ownerCanonical, arch: arch, root: "/dev/sda1", gib: 8, age: age,
	}
}

func amazonLinuxLines(arch ec2types.ArchitectureValues) []line {
	two := line{
		parameters: []string{amazonLinuxPath + "amzn2-ami-kernel-5.10-hvm-" + string(arch) + "-gp2"},
		name:       "amzn2-ami-kernel-5.10-hvm-2.0.DATE.0-" + string(arch) + "-gp2",
		owner:      ownerAmazonLinux, arch: arch, root: "/dev/xvda", gib: 8, age: 150,
	}
	if arch == ec2types.ArchitectureValuesX8664 {
		two.parameters = append(two.parameters, amazonLinuxPath+"amzn2-ami-hvm-x86_64-gp2")
	}
	three := line{
		parameters: []string{amazonLinuxPath + "al2023-ami-kernel-default-" + string(arch)},
		name:       "al2023-ami-2023.9.DATE.0-kernel-6.18-" + string(arch),
		owner:      ownerAmazonLinux, arch: arch, root: "/dev/xvda", gib: 8, age: 12,
	}
	return []line{two, three}
}

// newestPyTorch is the newest framework version that each system's images carry.
func newestPyTorch(system string, arch ec2types.ArchitectureValues) []string {
	switch {
	case system == "Ubuntu 22.04":
		return []string{"2.7"}
	case system == "Amazon Linux 2023" && arch == ec2types.ArchitectureValuesX8664:
		return []string{"2.10", "2.11", "2.12", "2.13"}
	}
	return []string{"2.10", "2.11", "2.12"}
}

// deepLearningLines are the image series of one system. The names of arm64 images have another order of words.
func deepLearningLines(arch ec2types.ArchitectureValues, system string) []line {
	mark, torch := "", "Deep Learning OSS Nvidia Driver AMI GPU PyTorch "
	if arch == ec2types.ArchitectureValuesArm64 {
		mark, torch = "ARM64 ", "Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch "
	}
	slug := strings.ToLower(strings.ReplaceAll(system, " ", "-"))
	series := func(ami, name string, gib int32, age int) line {
		root := "/dev/sda1"
		if strings.HasPrefix(system, "Amazon") {
			root = "/dev/xvda"
		}
		return line{
			parameters: []string{deepLearningPath + string(arch) + "/" + ami + "-" + slug + "/latest/ami-id"},
			name:       name + " (" + system + ") DATE",
			owner:      ownerDeepLearning, arch: arch, root: root, gib: gib, age: age,
		}
	}
	all := []line{
		series("base-oss-nvidia-driver-gpu", "Deep Learning "+mark+"Base OSS Nvidia Driver GPU AMI", 75, 11),
		series("base-with-single-cuda", "Deep Learning "+mark+"Base AMI with Single CUDA", 40, 10),
	}
	age := 13
	if system == "Ubuntu 22.04" {
		age = 205
	}
	for _, version := range newestPyTorch(system, arch) {
		all = append(all, series("oss-nvidia-driver-gpu-pytorch-"+version, torch+version, 75, age))
	}
	if arch == ec2types.ArchitectureValuesX8664 && system != "Ubuntu 24.04" {
		all = append(all, series("oss-nvidia-driver-gpu-tensorflow-2.18",
			"Deep Learning OSS Nvidia Driver AMI GPU TensorFlow 2.18", 75, 300))
	}
	return all
}

// endedLines are series whose parameters still lead to their last build.
func endedLines() []line {
	x86 := ec2types.ArchitectureValuesX8664
	return []line{
		{
			parameters: []string{deepLearningPath + "x86_64/base-oss-nvidia-driver-amazon-linux-2/latest/ami-id"},
			name:       "Deep Learning Base OSS Nvidia Driver AMI (Amazon Linux 2) Version 73.1",
			owner:      ownerDeepLearning, arch: x86, root: "/dev/xvda", gib: 100, age: 170,
		},
		{
			parameters: []string{deepLearningPath + "x86_64/multi-framework-oss-nvidia-driver-amazon-linux-2/latest/ami-id"},
			name:       "Deep Learning OSS Nvidia Driver AMI (Amazon Linux 2) Version 81.2",
			owner:      ownerDeepLearning, arch: x86, root: "/dev/xvda", gib: 105, age: 400,
		},
	}
}

// images lists the newest build of every line in a region. Builds are counted back from the start of the account's week, so
// ids are stable for the length of a deployment and move on as the real ones do.
func images(region string, now time.Time) []image {
	week := now.UTC().Truncate(7 * 24 * time.Hour)
	var all []image
	for _, l := range lines() {
		created := week.Add(time.Duration(-l.age)*24*time.Hour + 3*time.Hour)
		if l.age > 100 { // an ended line has one last build for ever
			created = time.Date(week.Year(), 1, 1, 3, 0, 0, 0, time.UTC).Add(time.Duration(-l.age) * 24 * time.Hour)
		}
		name := strings.ReplaceAll(l.name, "DATE", created.Format("20060102"))
		id := digest(0, region, name)
		all = append(all, image{line: l, ID: "ami-0" + id[:16], Name: name, Snapshot: "snap-0" + id[16:32], Created: created})
	}
	return all
}

func (c *call) imageWithID(id string) (image, error) {
	if !strings.HasPrefix(id, "ami-") {
		return image{}, refuse("InvalidAMIID.Malformed", "Invalid id: \"%s\" (expecting \"ami-...\")", id)
	}
	// Earlier builds stay launchable: look some weeks back.
	for week := range 26 {
		for _, i := range images(c.region.Name, c.now.Add(time.Duration(-7*week)*24*time.Hour)) {
			if i.ID == id {
				return i, nil
			}
		}
	}
	return image{}, refuse("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
}

func registerImages(all map[string]operation) {
	on(all, serviceEC2, "DescribeImages", describeImages)
}

func describeImages(c *call, in *ec2.DescribeImagesInput) (*ec2.DescribeImagesOutput, error) {
	candidates := images(c.region.Name, c.now)
	if len(in.ImageIds) > 0 {
		candidates = nil
		for _, id := range in.ImageIds {
			one, err := c.imageWithID(id)
			if err != nil {
				return nil, err
			}
			candidates = append(candidates, one)
		}
	}
	var found []ec2types.Image
	for _, one := range candidates {
		hidden := len(in.ImageIds) == 0 && !deref(in.IncludeDeprecated) && c.now.After(one.deprecation())
		if hidden || len(in.Owners) > 0 && !slices.Contains(in.Owners, one.owner) && !slices.Contains(in.Owners, "amazon") {
			continue
		}
		ok, err := matches(in.Filters, one.attributes(), nil)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, one.show())
		}
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, 1000)
	return &ec2.DescribeImagesOutput{Images: found, NextToken: next}, err
}

func (i image) attributes() attributes {
	return attributes{
		"image-id": {i.ID}, "name": {i.Name}, "architecture": {string(i.arch)}, "owner-id": {i.owner}, "owner-alias": {"amazon"},
		"state": {"available"}, "root-device-type": {"ebs"}, "root-device-name": {i.root}, "virtualization-type": {"hvm"},
		"is-public": {"true"}, "image-type": {"machine"}, "hypervisor": {"xen"}, "ena-support": {"true"}, "platform": nil,
		"creation-date": {i.Created.Format("2006-01-02T15:04:05.000Z")}, "block-device-mapping.volume-type": {"gp3"},
	}
}

func (i image) show() ec2types.Image {
	const stamp = "2006-01-02T15:04:05.000Z"
	shown := ec2types.Image{
		ImageId: new(i.ID), Name: new(i.Name), OwnerId: new(i.owner), ImageOwnerAlias: new("amazon"), Architecture: i.arch,
		CreationDate: new(i.Created.Format(stamp)), DeprecationTime: new(i.deprecation().Format(stamp)),
		State: ec2types.ImageStateAvailable, Public: new(true), ImageType: ec2types.ImageTypeValuesMachine,
		RootDeviceName: new(i.root), RootDeviceType: ec2types.DeviceTypeEbs, EnaSupport: new(true),
		VirtualizationType: ec2types.VirtualizationTypeHvm, Hypervisor: ec2types.HypervisorTypeXen,
		PlatformDetails: new("Linux/UNIX"), UsageOperation: new("RunInstances"),
		BlockDeviceMappings: []ec2types.BlockDeviceMapping{{
			DeviceName: new(i.root),
			Ebs: &ec2types.EbsBlockDevice{
				SnapshotId: new(i.Snapshot), VolumeSize: new(i.gib), VolumeType: ec2types.VolumeTypeGp3,
				DeleteOnTermination: new(true), Encrypted: new(false),
			},
		}},
	}
	if i.owner == ownerCanonical { // whose images also map the instance stores
		for n, device := range []string{"/dev/sdb", "/dev/sdc"} {
			shown.BlockDeviceMappings = append(shown.BlockDeviceMappings, ec2types.BlockDeviceMapping{
				DeviceName: new(device), VirtualName: new("ephemeral" + string(rune('0'+n))),
			})
		}
	}
	return shown
}
