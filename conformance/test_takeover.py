"""Records that are made from the account alone: a deployment of the Python tool, and one whose record was lost.

boto3 makes what the Python tool would have made, tagged as it tags: with Name and Stack, or not at all.
"""

import json
import os
import shutil
import tempfile
import unittest

from account import REGION, Moto, everything
from product import IMAGE, run

STACK = [{"Key": "Stack", "Value": "team"}]


def python_deployment(moto):
    """Makes a deployment of the Python tool and returns what its state file says of it."""
    ec2, efs, iam = (moto.client(s) for s in ("ec2", "efs", "iam"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"]
        for i, zone in enumerate("ab")
    ]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])
    group = ec2.create_security_group(GroupName="team-sg", Description="team", VpcId=vpc)["GroupId"]
    files = efs.create_file_system(CreationToken="team", Tags=[{"Key": "Name", "Value": "team-efs"}])["FileSystemId"]
    targets = [efs.create_mount_target(FileSystemId=files, SubnetId=s, SecurityGroups=[group])["MountTargetId"] for s in subnets]
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    role = iam.create_role(RoleName="team-efs-role", AssumeRolePolicyDocument=json.dumps(trust), Tags=STACK)["Role"]
    mount = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["elasticfilesystem:ClientMount"], "Resource": "*"}]}
    iam.put_role_policy(RoleName="team-efs-role", PolicyName="EFSMountPolicy", PolicyDocument=json.dumps(mount))
    iam.attach_role_policy(RoleName="team-efs-role", PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
    iam.create_instance_profile(InstanceProfileName="team-efs-profile", Tags=STACK)
    iam.add_role_to_instance_profile(InstanceProfileName="team-efs-profile", RoleName="team-efs-role")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    instance = ec2.run_instances(
        ImageId=image, InstanceType="t3.large", MinCount=1, MaxCount=1,
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnets[0], "Groups": [group], "DeleteOnTermination": True}],
        IamInstanceProfile={"Name": "team-efs-profile"}, TagSpecifications=[{"ResourceType": "instance", "Tags": STACK}],
    )["Instances"][0]  # fmt: skip
    made = ("vpc", "subnets", "security_group", "efs", "efs_mount_target", "iam_role", "iam_instance_profile", "instance")
    return {
        "schema_version": 2, "stack_name": "team", "status": "creating",
        "created_at": "2026-05-02T08:15:30.120000Z", "updated_at": "2026-05-02T08:21:07.500000Z",
        "vpc_id": vpc, "subnet_ids": subnets, "security_group_id": group, "efs_id": files, "efs_mount_target_id": targets[0],
        "instance_id": instance["InstanceId"], "keypair_name": "", "private_ip": instance["PrivateIpAddress"],
        "iam_role_name": "team-efs-role", "iam_role_arn": role["Arn"], "iam_instance_profile_name": "team-efs-profile",
        "n8n_url": "https://198.51.100.20", "resource_provenance": dict.fromkeys(made, "created"),
        "cost": {"instance_type": "t3.large", "is_spot": False},
        "config": {"stack_name": "team", "tier": "dev", "region": REGION, "instance_type": "t3.large", "use_spot": False},
    }  # fmt: skip


class TakeOver(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home)
        self.moto = Moto().__enter__()
        self.addCleanup(self.moto.__exit__)
        self.before = everything(self.moto)

    def run_json(self, *args):
        return json.loads(run(self.moto, self.home, *args, "-o", "json").stdout)

    def test_a_deployment_of_the_python_tool_is_imported_and_destroyed(self):
        state = python_deployment(self.moto)
        path = os.path.join(self.home, "team.json")
        with open(path, "w") as f:
            json.dump(state, f)
        made = everything(self.moto)
        imported = self.run_json("import", path)
        self.assertEqual([], imported["gone"])
        self.assertEqual({"internet-gateway", "route-table", "mount-target"}, {r["kind"] for r in imported["found"]})
        self.assertEqual(made, everything(self.moto), "an import changes nothing")
        self.assertEqual(["team"], [row["name"] for row in self.run_json("list")])
        self.assertEqual("running", self.run_json("inspect", "team")["status"])
        destroyed = self.run_json("destroy", "team", "--yes")
        self.assertEqual([], destroyed["remaining"])
        self.assertEqual(self.before, everything(self.moto))

    def test_nothing_of_a_reused_network_is_touched(self):
        state = python_deployment(self.moto)
        state["resource_provenance"].update(vpc="reused", subnets="reused", security_group="reused")
        path = os.path.join(self.home, "team.json")
        with open(path, "w") as f:
            json.dump(state, f)
        made = everything(self.moto)
        run(self.moto, self.home, "import", path)
        run(self.moto, self.home, "destroy", "team", "--yes")
        after = everything(self.moto)
        for kind in ("vpcs", "subnets", "gateways", "route tables", "security groups"):
            self.assertEqual(made[kind], after[kind], kind)
        for kind in ("instances", "file systems", "mount targets", "roles", "profiles"):
            self.assertEqual(self.before[kind], after[kind], kind)

    def test_a_lost_record_is_rebuilt_and_its_data_are_kept(self):
        deploy = ("deploy", "lost", "--wait", "instance", "--yes")
        run(self.moto, self.home, *deploy, *IMAGE)
        records = os.path.join(self.home, "gm", "deployments")
        known = {r["key"]: r["id"] for r in self.run_json("inspect", "lost")["resources"]}
        shutil.rmtree(records)
        self.assertEqual([("lost", True)], [(row["name"], row["remote"]) for row in self.run_json("list", "--remote")])
        self.assertEqual(["deployment"], [o["standing"] for o in self.run_json("orphans")["orphans"]])
        self.assertEqual("tags", self.run_json("recover", "lost")["source"])
        self.assertEqual(known, {r["key"]: r["id"] for r in self.run_json("inspect", "lost")["resources"]})

        kept = self.run_json("destroy", "lost", "--keep-data", "--yes")
        self.assertEqual({"storage/files", "storage/data", "secret/stack"}, {k["key"] for k in kept["kept"]})
        left = everything(self.moto)
        self.assertEqual((1, 1, 1), tuple(len(left[k]) for k in ("file systems", "volumes", "parameters")))
        for kind in set(left) - {"file systems", "volumes", "parameters"}:
            self.assertEqual(self.before[kind], left[kind], kind)

        shutil.rmtree(records)
        run(self.moto, self.home, "deploy", "next", "--efs-id", known["storage/files"], "--wait", "instance", "--yes", *IMAGE)
        volume = self.moto.client("ec2").describe_volumes(VolumeIds=[known["storage/data"]])["Volumes"][0]
        self.assertEqual("in-use", volume["State"])
        self.run_json("destroy", "next", "--yes")
        self.assertEqual(self.before, everything(self.moto))


if __name__ == "__main__":
    unittest.main()
