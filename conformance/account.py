"""A moto server on loopback, and what an independent client, boto3, sees in its account."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import boto3

REGION = "us-east-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": REGION,
}


class Moto:
    """One moto server, empty at first. Settings are of moto's own environment."""

    def __init__(self, **settings):
        self.settings = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"} | settings

    def __enter__(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env=os.environ | self.settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(self.url + "/moto-api/", timeout=2).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the moto server did not start") from None
                time.sleep(0.2)

    def __exit__(self, *_):
        self.process.kill()  # it has nothing to save
        self.process.wait(timeout=30)

    def client(self, service):
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def environment(self, home):
        """What the binary needs to speak to this account, and nothing of the caller's."""
        keep = {k: v for k, v in os.environ.items() if k in ("PATH", "TMPDIR")}
        return keep | CREDENTIALS | {"AWS_ENDPOINT_URL": self.url, "HOME": home, "GEUSEMAKER_HOME": os.path.join(home, "gm")}


def everything(moto):
    """All living resources of the account that a deployment could touch, without what changes by itself."""
    ec2, efs, iam, ssm = (moto.client(s) for s in ("ec2", "efs", "iam", "ssm"))
    reservations = ec2.describe_instances()["Reservations"]
    roles = [r for r in iam.list_roles()["Roles"] if not r["Path"].startswith("/aws-service-role/")]
    systems = efs.describe_file_systems()["FileSystems"]
    return {
        "vpcs": ec2.describe_vpcs()["Vpcs"],
        "subnets": [without(s, "AvailableIpAddressCount") for s in ec2.describe_subnets()["Subnets"]],
        "gateways": ec2.describe_internet_gateways()["InternetGateways"],
        "route tables": ec2.describe_route_tables()["RouteTables"],
        "security groups": ec2.describe_security_groups()["SecurityGroups"],
        "endpoints": [e for e in ec2.describe_vpc_endpoints()["VpcEndpoints"] if e["State"] != "deleted"],
        "instances": [i for r in reservations for i in r["Instances"] if i["State"]["Name"] != "terminated"],
        "volumes": ec2.describe_volumes()["Volumes"],
        "interfaces": list(ec2.describe_network_interfaces()["NetworkInterfaces"]),
        "file systems": [f | {"SizeInBytes": without(f["SizeInBytes"], "Timestamp")} for f in systems],
        "mount targets": [m for f in systems for m in efs.describe_mount_targets(FileSystemId=f["FileSystemId"])["MountTargets"]],
        "roles": roles,
        "role policies": [(r["RoleName"], p) for r in roles for p in iam.list_role_policies(RoleName=r["RoleName"])["PolicyNames"]],
        "profiles": iam.list_instance_profiles()["InstanceProfiles"],
        "parameters": ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": ["/geusemaker/"]}])[
            "Parameters"
        ],
    }


def without(mapping, *keys):
    return {k: v for k, v in mapping.items() if k not in keys}


def tags(resource, name="Tags"):
    return {t["Key"]: t["Value"] for t in resource.get(name, [])}
