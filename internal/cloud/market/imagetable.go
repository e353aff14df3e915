package market

// The operating systems, architectures and kinds of images, as the keys os_type, architecture and ami_type spell them.
const (
	ubuntu2404 = "ubuntu-24.04"
	ubuntu2204 = "ubuntu-22.04"
	amazon2023 = "amazon-linux-2023"
	amazon2    = "amazon-linux-2"

	x86 = "x86_64"
	arm = "arm64"

	standard   = "standard"
	base       = "base"
	pytorch    = "pytorch"
	tensorflow = "tensorflow"
	multi      = "multi-framework"
)

// The accounts that publish the images. The alias "amazon" would match others, too: verified providers carry it (EC2 user
// guide, "Control the discovery and use of AMIs with Allowed AMIs").
const (
	ownerAmazonLinux  = "137112412989"
	ownerDeepLearning = "898082745236" // AWS Deep Learning AMIs
	ownerCanonical    = "099720109477" // Canonical, "Find Ubuntu images on AWS"
)

// Sources of the rows, all public.
const (
	sourceIndex     = "Deep Learning AMIs developer guide, release notes and support policy table"
	sourceAmazon    = "Amazon Linux 2023 user guide, \"AL2023 on Amazon EC2\""
	sourceAmazon2   = "Amazon Linux 2 FAQs: end of support on 2026-06-30"
	sourceCanonical = "Canonical, \"Find Ubuntu images on AWS\""
)

// What to use instead of a line that ended or never was.
const (
	insteadBase       = "use ami_type base: frameworks come with their containers"
	insteadAmazon2023 = "use os_type amazon-linux-2023"
	insteadUbuntu2404 = "use os_type ubuntu-24.04"
	insteadBoth       = "use os_type amazon-linux-2023 with ami_type base: frameworks come with their containers"
)

// line is one combination of operating system, architecture and kind, with the images that serve it.
type line struct {
	os, arch, kind string
	state          State
	images         []candidate // best first; none where the state is Never
	minGiB         int         // usual size of the root snapshot: a hint, the image itself decides; 0 where not known
	ended          string      // what ended, and when, where the state is Discontinued
	instead        string      // what to use where the state is not Available
	source         string
}

// lines is the table of every combination. Never means: neither in AWS's index of current images nor in its archive.
func lines() []line {
	return append(standardLines(), append(deepLines(), neverLines()...)...)
}

func standardLines() []line {
	const ubuntu = "/aws/service/canonical/ubuntu/server/"
	const amazon = "/aws/service/ami-amazon-linux-latest/"
	ended := "Amazon Linux 2 ended on 2026-06-30"
	return []line{
		{ubuntu2404, x86, standard, Available, []candidate{{ubuntu + "24.04/stable/current/amd64/hvm/ebs-gp3/ami-id", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-{serial}"}}, 8, "", "", sourceCanonical},
		{ubuntu2404, arm, standard, Available, []candidate{{ubuntu + "24.04/stable/current/arm64/hvm/ebs-gp3/ami-id", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-{serial}"}}, 8, "", "", sourceCanonical},
		{ubuntu2204, x86, standard, Available, []candidate{{ubuntu + "22.04/stable/current/amd64/hvm/ebs-gp2/ami-id", "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-{serial}"}}, 8, "", "", sourceCanonical},
		{ubuntu2204, arm, standard, Available, []candidate{{ubuntu + "22.04/stable/current/arm64/hvm/ebs-gp2/ami-id", "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-{serial}"}}, 8, "", "", sourceCanonical},
		{amazon2023, x86, standard, Available, []candidate{{amazon + "al2023-ami-kernel-default-x86_64", "al2023-ami-2023.{version}-kernel-{version}-x86_64"}}, 8, "", "", sourceAmazon},
		{amazon2023, arm, standard, Available, []candidate{{amazon + "al2023-ami-kernel-default-arm64", "al2023-ami-2023.{version}-kernel-{version}-arm64"}}, 8, "", "", sourceAmazon},
		{amazon2, x86, standard, Discontinued, []candidate{{amazon + "amzn2-ami-kernel-5.10-hvm-x86_64-gp2", "amzn2-ami-kernel-5.10-hvm-2.0.{version}-x86_64-gp2"}}, 8, ended, insteadAmazon2023, sourceAmazon2},
		{amazon2, arm, standard, Discontinued, []candidate{{amazon + "amzn2-ami-kernel-5.10-hvm-arm64-gp2", "amzn2-ami-kernel-5.10-hvm-2.0.{version}-arm64-gp2"}}, 8, ended, insteadAmazon2023, sourceAmazon2},
	}
}

// deepLines are the AWS Deep Learning AMIs that exist or existed. The order of words differs between the architectures. The
// base images come with four CUDA trees or, smaller, with one; containers bring their own, so either serves.
func deepLines() []line {
	const (
		baseX86  = "Deep Learning Base OSS Nvidia Driver GPU AMI"
		cudaX86  = "Deep Learning Base AMI with Single CUDA"
		baseArm  = "Deep Learning ARM64 Base OSS Nvidia Driver GPU AMI"
		cudaArm  = "Deep Learning ARM64 Base AMI with Single CUDA"
		torchX86 = "Deep Learning OSS Nvidia Driver AMI GPU PyTorch "
		torchArm = "Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch "
		flowX86  = "Deep Learning OSS Nvidia Driver AMI GPU TensorFlow "
	)
	const (
		endedLinux2 = "the Deep Learning AMIs of Amazon Linux 2 ended on 2026-06-30"
		endedTorch  = "PyTorch images of Ubuntu 22.04 ended with PyTorch 2.7 on 2026-04-23"
		endedFlow   = "TensorFlow images ended on 2026-01-31"
	)
	var all []line
	for _, os := range []string{ubuntu2404, ubuntu2204, amazon2023} {
		all = append(all,
			line{os, x86, base, Available, deep(x86, os, baseX86, cudaX86), 75, "", "", sourceIndex},
			line{os, arm, base, Available, deep(arm, os, baseArm, cudaArm), 75, "", "", sourceIndex})
	}
	return append(all,
		line{amazon2, x86, base, Discontinued, deep(x86, amazon2, "Deep Learning Base OSS Nvidia Driver AMI"), 100, endedLinux2, insteadAmazon2023, sourceIndex},
		line{amazon2, arm, base, Discontinued, []candidate{{"", baseArm + " (Amazon Linux 2) {date}"}}, 0, endedLinux2, insteadAmazon2023, sourceIndex},

		line{ubuntu2404, x86, pytorch, Available, deep(x86, ubuntu2404, torchX86+"2.12", torchX86+"2.11", torchX86+"2.10"), 75, "", "", sourceIndex},
		line{ubuntu2404, arm, pytorch, Available, deep(arm, ubuntu2404, torchArm+"2.12", torchArm+"2.11", torchArm+"2.10"), 75, "", "", sourceIndex},
		line{amazon2023, x86, pytorch, Available, deep(x86, amazon2023, torchX86+"2.13", torchX86+"2.12", torchX86+"2.11", torchX86+"2.10"), 75, "", "", sourceIndex},
		line{amazon2023, arm, pytorch, Available, deep(arm, amazon2023, torchArm+"2.12", torchArm+"2.11", torchArm+"2.10"), 75, "", "", sourceIndex},
		line{ubuntu2204, x86, pytorch, Discontinued, deep(x86, ubuntu2204, torchX86+"2.7"), 40, endedTorch, insteadUbuntu2404, sourceIndex},
		line{ubuntu2204, arm, pytorch, Discontinued, deep(arm, ubuntu2204, torchArm+"2.7"), 40, endedTorch, insteadUbuntu2404, sourceIndex},
		line{amazon2, x86, pytorch, Discontinued, []candidate{{"", torchX86 + "2.{version} (Amazon Linux 2) {date}"}}, 0, endedLinux2, insteadAmazon2023, sourceIndex},

		line{amazon2023, x86, tensorflow, Discontinued, deep(x86, amazon2023, flowX86+"2.18"), 0, endedFlow, insteadBase, sourceIndex},
		line{ubuntu2204, x86, tensorflow, Discontinued, deep(x86, ubuntu2204, flowX86+"2.18"), 0, endedFlow, insteadBase, sourceIndex},
		line{amazon2, x86, tensorflow, Discontinued, []candidate{{"", flowX86 + "2.16 (Amazon Linux 2) {date}"}}, 0, endedLinux2, insteadBoth, sourceIndex},

		// The one name that does not say what its parameter does.
		line{amazon2, x86, multi, Discontinued, []candidate{{
			"/aws/service/deeplearning/ami/x86_64/multi-framework-oss-nvidia-driver-amazon-linux-2/latest/ami-id",
			"Deep Learning OSS Nvidia Driver AMI (Amazon Linux 2) Version {version}",
		}}, 105, endedLinux2, insteadBoth, sourceIndex},
	)
}

// neverLines are the combinations that AWS has never published. Its multi-framework images of today are for Neuron chips,
// which Ollama cannot use.
func neverLines() []line {
	never := func(os, arch, kind, instead string) line {
		return line{os: os, arch: arch, kind: kind, state: Never, instead: instead, source: sourceIndex}
	}
	return []line{
		never(amazon2, arm, pytorch, insteadAmazon2023),
		never(ubuntu2404, x86, tensorflow, insteadBase),
		never(ubuntu2404, arm, tensorflow, insteadBase),
		never(ubuntu2204, arm, tensorflow, insteadBase),
		never(amazon2023, arm, tensorflow, insteadBase),
		never(amazon2, arm, tensorflow, insteadBoth),
		never(ubuntu2404, x86, multi, insteadBase),
		never(ubuntu2404, arm, multi, insteadBase),
		never(ubuntu2204, x86, multi, insteadBase),
		never(ubuntu2204, arm, multi, insteadBase),
		never(amazon2023, x86, multi, insteadBase),
		never(amazon2023, arm, multi, insteadBase),
		never(amazon2, arm, multi, insteadBoth),
	}
}
