"""The variants of a configuration, and the images that an account needs to have for them."""

import itertools
import json
import pathlib

# Every choice of a user that changes what is made. A variant has one value of each.
CHOICES = {
    "os": ("ubuntu-24.04", "ubuntu-22.04", "amazon-linux-2023", "amazon-linux-2"),
    "architecture": ("x86_64", "arm64"),
    "workload": ("cpu", "gpu"),
    "market": ("spot-first", "spot", "on-demand"),
    "access": ("direct", "tunnel"),
    "https": ("internal", "off", "acme"),
    "ssh": ("none", "key"),
    "settings": ("default", "filled"),
    "egress": ("open", "restricted"),
}
REUSES = {  # what of the user's own a deployment can be fitted into, by flag
    "vpc": ("--vpc-id",),
    "subnet": ("--subnet-id",),
    "group": ("--security-group-id",),
    "files": ("--efs-id",),
    "all": ("--vpc-id", "--subnet-id", "--security-group-id", "--efs-id"),
}
WHOLE = ("os", "architecture", "workload", "access", "https")  # of these, the full matrix has every combination

KEY_PAIR = "mine"
NETWORK = "10.50.0.0/16"  # of what the user has
DOMAIN = "ai.example.com"
SSH_CIDR = "203.0.113.0/24"
FILLED = {  # settings that fill every list
    "--vpc-cidr": "10.77.0.0/16", "--allow-cidrs": "198.51.100.0/24,203.0.113.7/32", "--tags": "team=ai,cost-center=42",
    "--root-gib": "150", "--data-gib": "60", "--data-throughput": "300", "--backup": "off", "--models": "llama3.2:3b,nomic-embed-text",
    "--env": "n8n.GENERIC_TIMEZONE=Europe/Berlin", "--preference": "lowest-cost",
}  # fmt: skip

UBUNTU, AMAZON, DEEP = "099720109477", "137112412989", "898082745236"  # who publishes images


def possible(variant):
    """A certificate authority cannot reach what only a tunnel leads to."""
    return (variant["access"], variant["https"]) != ("tunnel", "acme")


def everything():
    return [dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())]


def full():
    """Every combination of what matters most, with the other choices in turn."""
    rest = [key for key in CHOICES if key not in WHOLE]
    for n, values in enumerate(itertools.product(*(CHOICES[key] for key in WHOLE))):
        variant = dict(zip(WHOLE, values, strict=True)) | {
            key: CHOICES[key][(n // (i + 1)) % len(CHOICES[key])] for i, key in enumerate(rest)
        }
        if possible(variant):
            yield variant | {"reuse": ("nothing", *REUSES)[n % (len(REUSES) + 1)]}


def pairs():
    """Few variants in which every two values of different choices meet, and some of them once more in what the user has."""
    found = []
    choices = list(filter(possible, everything()))
    missing = {pair for variant in choices for pair in met(variant)}
    while missing:
        best = max(choices, key=lambda variant: len(missing & met(variant)))
        missing -= met(best)
        found.append(best)
    yield from (variant | {"reuse": "nothing"} for variant in found)
    yield from (variant | {"reuse": reuse} for variant, reuse in zip(found, REUSES, strict=False))


def met(variant):
    return set(itertools.combinations(sorted(variant.items()), 2))


def name_of(variant):
    return " ".join(variant.values())


def company(ec2, efs):
    """Makes what a user may have already, and returns its IDs by the flags that name them."""
    vpc = ec2.create_vpc(CidrBlock=NETWORK)["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.50.{n}.0/24", AvailabilityZone="us-east-1" + zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    group = ec2.create_security_group(GroupName="company", Description="company", VpcId=vpc)["GroupId"]
    files = efs.create_file_system(CreationToken="company", Encrypted=True, ThroughputMode="elastic")["FileSystemId"]
    return {"--vpc-id": vpc, "--subnet-id": subnets[0], "--security-group-id": group, "--efs-id": files}


def flags(variant, ids=None):
    """What a user types for a variant. ids are those of what is reused."""
    typed = {
        "--os-type": variant["os"], "--architecture": variant["architecture"], "--workload": variant["workload"],
        "--market": variant["market"], "--access": variant["access"], "--https": variant["https"], "--egress": variant["egress"],
    }  # fmt: skip
    if variant["https"] == "acme":
        typed["--domain"] = DOMAIN
    if variant["ssh"] == "key":
        typed |= {"--key-pair": KEY_PAIR, "--ssh-cidr": SSH_CIDR}
    if variant["settings"] == "filled":
        typed |= FILLED
    reused = REUSES.get(variant.get("reuse"), ())
    typed |= {flag: ids[flag] for flag in reused}
    if set(reused) - {"--efs-id"}:
        typed.pop("--vpc-cidr", None)
    if "--security-group-id" in reused:
        typed.pop("--egress")  # the group's own rules say it
    more = ("--add-missing-rules",) if "--security-group-id" in reused else ()
    return (*more, *itertools.chain.from_iterable(typed.items()), "--allow-discontinued", "--over-budget")


def images(folder):
    """The path of a file that tells moto of the images."""
    made = []
    for architecture, debian, deep in (("x86_64", "amd64", ""), ("arm64", "arm64", "ARM64 ")):
        base = f"Deep Learning {deep}Base OSS Nvidia Driver GPU AMI"
        for name, owner, root in (
            (f"ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{debian}-server-20261002", UBUNTU, "/dev/sda1"),
            (f"ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-{debian}-server-20261002", UBUNTU, "/dev/sda1"),
            (f"al2023-ami-2023.12.20260930.0-kernel-6.18-{architecture}", AMAZON, "/dev/xvda"),
            (f"amzn2-ami-kernel-5.10-hvm-2.0.20260630.0-{architecture}-gp2", AMAZON, "/dev/xvda"),
            (f"{base} (Ubuntu 24.04) 20261002", DEEP, "/dev/sda1"),
            (f"{base} (Ubuntu 22.04) 20261002", DEEP, "/dev/sda1"),
            (f"{base} (Amazon Linux 2023) 20261002", DEEP, "/dev/xvda"),
            (
                "Deep Learning Base OSS Nvidia Driver AMI (Amazon Linux 2) Version 70.3"
                if not deep
                else f"{base} (Amazon Linux 2) 20260519",
                DEEP,
                "/dev/xvda",
            ),
        ):
            made.append(
                {
                    "ami_id": f"ami-{len(made) + 1:017x}", "name": name, "owner_id": owner, "architecture": architecture,
                    "description": name, "hypervisor": "xen", "image_type": "machine", "platform": None, "public": True,
                    "root_device_name": root, "root_device_type": "ebs", "sriov": "simple", "state": "available", "tags": {},
                    "virtualization_type": "hvm", "creation_date": "2026-10-02T00:00:00.000Z",
                }
            )  # fmt: skip
    path = pathlib.Path(folder) / "images.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    return str(path)
