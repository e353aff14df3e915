"""A deployment in a network, with a group and a file system that are somebody else's: the account of moto before, while and
after it, read back by boto3."""

import json
import tempfile
import unittest

from account import Moto, everything, tags
from product import IMAGE, run

NAME = "guest"
PORTS = (443, 11434, 6333, 11235)
OURS = "geusemaker:stack"


class Reuse(unittest.TestCase):
    def setUp(self):
        self.moto = Moto().__enter__()
        self.addCleanup(self.moto.__exit__)
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = home.name
        self.ec2, self.efs = self.moto.client("ec2"), self.moto.client("efs")
        self.furnish()

    def furnish(self):
        """A VPC with an internet gateway and public subnets in two zones, a group without rules, and a file system that only
        one of the zones reaches."""
        self.vpc = self.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        self.subnets = []
        for i, zone in enumerate(("us-east-1a", "us-east-1b")):
            subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.1.{16 * i}.0/20", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
            self.subnets.append(subnet)
        self.machines = self.ec2.create_security_group(GroupName="machines", Description="d", VpcId=self.vpc)["GroupId"]
        self.door = self.ec2.create_security_group(GroupName="door", Description="d", VpcId=self.vpc)["GroupId"]
        self.files = self.efs.create_file_system(CreationToken="t", Encrypted=True)["FileSystemId"]
        self.efs.create_mount_target(FileSystemId=self.files, SubnetId=self.subnets[0], SecurityGroups=[self.door])

    def deploy(self, *args, check=True):
        return run(self.moto, self.home, "deploy", NAME, *IMAGE, "--wait", "instance", "--yes", "-o", "json", *args, check=check)

    def rules(self, group):
        return self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]

    def judge(self, *args, added):
        """Deploys, holds that nothing of theirs changed but by the added rules, and destroys."""
        before = everything(self.moto)
        self.deploy(*args)
        during = everything(self.moto)
        theirs = {g["GroupId"] for g in before["security groups"]}
        for kind, resources in before.items():
            for resource in resources:
                if kind in ("security groups", "file systems"):
                    continue  # rules are compared below; a file system counts its mount targets
                self.assertIn(resource, during[kind], f"{kind}: {resource} was touched")
        bearing = [r for group in (self.machines, self.door) for r in self.rules(group) if OURS in tags(r)]
        self.assertEqual(len(bearing), added)
        for group in during["security groups"]:
            if group["GroupId"] in theirs:
                self.assertNotIn(OURS, tags(group))
        document = json.loads(run(self.moto, self.home, "destroy", NAME, "--yes", "-o", "json").stdout)
        self.assertTrue(document["proven"])
        self.assertEqual(everything(self.moto), before)

    def test_a_vpc(self):
        self.judge("--vpc-id", self.vpc, added=0)

    def test_missing_rules_and_mount_targets(self):
        args = ("--security-group-id", self.machines, "--efs-id", self.files)
        before = everything(self.moto)
        refused = self.deploy(*args, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("does not let in tcp " + ", ".join(map(str, PORTS)), refused.stderr)
        self.assertIn("does not let the machine in", refused.stderr)
        self.assertEqual(everything(self.moto), before)
        self.judge(*args, "--add-missing-rules", added=len(PORTS) + 1)

    def test_a_subnet_without_a_way_out(self):
        lost = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.1.64.0/20", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
        refused = self.deploy("--subnet-id", lost, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("has no route to the internet", refused.stderr)


if __name__ == "__main__":
    unittest.main()
