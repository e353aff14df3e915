"""One deployment's whole life, the built binary against moto, read back by boto3.

The binary knows nothing of moto: it is pointed at it by AWS_ENDPOINT_URL, as any AWS tool would be.
"""

import base64
import gzip
import json
import os
import pathlib
import tempfile
import unittest

from account import REGION, Moto, everything, tags
from product import IMAGE, keys_in, run, zones

NAME = "judged"


class Life(unittest.TestCase):
    """Deploys once, looks at everything, destroys, and lets every test judge a part of what was seen."""

    @classmethod
    def setUpClass(cls):
        cls.stack = tempfile.TemporaryDirectory()
        cls.home = cls.stack.name
        cls.log = os.path.join(cls.home, "calls.jsonl")
        cls.moto = Moto().__enter__()
        cls.addClassCleanup(cls.moto.__exit__)
        cls.addClassCleanup(cls.stack.cleanup)
        cls.before = everything(cls.moto)
        cls.plan = json.loads(run(cls.moto, cls.home, "plan", NAME, *IMAGE, "-o", "json").stdout)
        cls.after_plan = everything(cls.moto)
        cls.deploy = run(cls.moto, cls.home, "deploy", NAME, *IMAGE, "--wait", "instance", "--yes", "-o", "json", "--log-file", cls.log)
        cls.inspected = json.loads(run(cls.moto, cls.home, "inspect", NAME, "-o", "json").stdout)
        cls.listed = json.loads(run(cls.moto, cls.home, "list", "-o", "json").stdout)
        cls.seen = everything(cls.moto)
        cls.details = cls.read_back(cls)
        cls.letters = zones(cls.details["ids"])
        cls.keys = keys_in(cls.letters)
        cls.again = run(cls.moto, cls.home, "deploy", NAME, "--wait", "instance", "--yes", "-o", "json")
        cls.after_again = everything(cls.moto)
        cls.destroy = json.loads(run(cls.moto, cls.home, "destroy", NAME, "--yes", "-o", "json").stdout)
        cls.after = everything(cls.moto)
        cls.left = json.loads(run(cls.moto, cls.home, "list", "-o", "json").stdout)

    def read_back(self):
        """What single calls tell about the resources that inspect names."""
        ids = {r["key"]: r["id"] for r in self.inspected["resources"]}
        ec2, efs, iam, ssm = (self.moto.client(s) for s in ("ec2", "efs", "iam", "ssm"))
        instance = ids["compute/instance"]
        reservation = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]
        role = self.role_name(self)
        policy = iam.list_role_policies(RoleName=role)["PolicyNames"][0]
        return {
            "ids": ids,
            "instance": reservation["Instances"][0],
            "user data": base64.b64decode(ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]["Value"]),
            "dns": {
                a: ec2.describe_vpc_attribute(VpcId=ids["network/vpc"], Attribute=a)[a[0].upper() + a[1:]]["Value"]
                for a in ("enableDnsSupport", "enableDnsHostnames")
            },
            "file policy": json.loads(efs.describe_file_system_policy(FileSystemId=ids["storage/files"])["Policy"]),
            "mount groups": {
                k: efs.describe_mount_target_security_groups(MountTargetId=ids[k])["SecurityGroups"]
                for k in ids
                if k.startswith("storage/mount-")
            },
            "sold": {
                o["Location"]
                for o in ec2.describe_instance_type_offerings(
                    LocationType="availability-zone",
                    Filters=[{"Name": "instance-type", "Values": [reservation["Instances"][0]["InstanceType"]]}],
                )["InstanceTypeOfferings"]
            },
            "role": iam.get_role(RoleName=role)["Role"],
            "attached": [p["PolicyName"] for p in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]],
            "policy": iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"],
            "secret": ssm.get_parameter(Name=ids["secret/stack"], WithDecryption=True)["Parameter"],
            "secret tags": tags({"Tags": ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=ids["secret/stack"])["TagList"]}),
        }

    def role_name(self):
        return next(r["RoleName"] for r in self.seen["roles"] if r["Path"].startswith("/geusemaker/"))

    def id(self, key):
        return self.details["ids"][key]

    def one(self, kind, **wanted):
        found = [r for r in self.seen[kind] if all(r.get(k) == v for k, v in wanted.items())]
        self.assertEqual(len(found), 1, f"{kind} with {wanted}")
        return found[0]

    # The contract of commands

    def test_plan_changes_nothing_and_names_every_resource_with_its_price(self):
        self.assertEqual(self.after_plan, self.before)
        self.assertEqual({s["key"] for s in self.plan["steps"]}, self.keys)
        self.assertEqual({s["action"] for s in self.plan["steps"]}, {"create"})
        self.assertGreater(self.plan["cost"]["monthly"], 0)
        for component in self.plan["cost"]["components"]:
            self.assertTrue(component["source"], component)

    def test_inspect_names_every_resource(self):
        self.assertEqual(set(self.details["ids"]), self.keys)
        self.assertTrue(all(r["status"] == "ready" and r["owned"] for r in self.inspected["resources"]))

    def test_list_shows_the_deployment_until_it_is_destroyed(self):
        self.assertEqual([(d["name"], d["status"], d["region"]) for d in self.listed], [(NAME, "running", "us-east-1")])
        self.assertEqual(self.left, [])

    def test_a_second_deploy_changes_nothing(self):
        self.assertEqual(self.after_again, self.seen)

    def test_destroy_leaves_the_account_as_it_was_and_says_so(self):
        self.assertEqual(self.after, self.before)
        self.assertTrue(self.destroy["proven"])
        self.assertEqual(self.destroy["remaining"], [])
        self.assertEqual({d["key"] for d in self.destroy["deleted"]}, self.keys)

    def test_what_moto_lacks_is_a_warning(self):
        self.assertIn("DescribeInstanceInformation", json.dumps(self.inspected["warnings"]) + self.deploy.stderr)

    # The network

    def test_vpc_resolves_names(self):
        self.one("vpcs", VpcId=self.id("network/vpc"))
        self.assertEqual(self.details["dns"], {"enableDnsSupport": True, "enableDnsHostnames": True})

    def test_each_zone_that_sells_the_machine_has_subnets_and_only_public_ones_give_addresses(self):
        self.assertGreaterEqual({REGION + letter for letter in self.letters}, self.details["sold"])
        for letter in self.letters:
            for side in ("public", "private"):
                subnet = self.one("subnets", SubnetId=self.id(f"network/{side}-{letter}"))
                self.assertEqual((subnet["VpcId"], subnet["AvailabilityZone"]), (self.id("network/vpc"), REGION + letter))
                self.assertEqual(subnet["MapPublicIpOnLaunch"], side == "public")

    def test_gateway_and_routes(self):
        gateway = self.one("gateways", InternetGatewayId=self.id("network/gateway"))
        self.assertEqual([a["VpcId"] for a in gateway["Attachments"]], [self.id("network/vpc")])
        table = self.one("route tables", RouteTableId=self.id("network/routes"))
        routes = {r.get("DestinationCidrBlock"): r.get("GatewayId") for r in table["Routes"]}
        self.assertEqual(routes["0.0.0.0/0"], self.id("network/gateway"))
        self.assertEqual({a.get("SubnetId") for a in table["Associations"]}, {self.id("network/public-" + z) for z in self.letters})

    def test_traffic_to_s3_stays_inside(self):
        endpoint = self.one("endpoints", VpcEndpointId=self.id("network/s3"))
        self.assertEqual((endpoint["VpcEndpointType"], endpoint["ServiceName"]), ("Gateway", "com.amazonaws.us-east-1.s3"))
        self.assertEqual(endpoint["RouteTableIds"], [self.id("network/routes")])

    def test_security_groups_let_in_only_what_is_meant(self):
        host = self.one("security groups", GroupId=self.id("access/host"))
        for permission in host["IpPermissions"]:
            self.assertEqual([r["CidrIp"] for r in permission["IpRanges"] if r["CidrIp"] == "0.0.0.0/0"], [])
            self.assertNotEqual(permission["FromPort"], 22)
        self.assertEqual({p["FromPort"] for p in host["IpPermissions"]}, {443, 11434, 6333, 11235})
        files = self.one("security groups", GroupId=self.id("access/files"))
        self.assertEqual(
            [(p["FromPort"], p["IpRanges"], [g["GroupId"] for g in p["UserIdGroupPairs"]]) for p in files["IpPermissions"]],
            [(2049, [], [self.id("access/host")])],
        )

    # Storage

    def test_file_system_is_encrypted_elastic_and_refuses_plain_text(self):
        system = self.one("file systems", FileSystemId=self.id("storage/files"))
        self.assertTrue(system["Encrypted"])
        self.assertEqual(system["ThroughputMode"], "elastic")
        denies = [
            s for s in self.details["file policy"]["Statement"]
            if s["Effect"] == "Deny" and s["Condition"]["Bool"]["aws:SecureTransport"] in ("false", False)
        ]  # fmt: skip
        self.assertEqual(len(denies), 1)

    def test_mount_targets_stand_in_the_private_subnets(self):
        for letter in self.letters:
            target = self.one("mount targets", MountTargetId=self.id("storage/mount-" + letter))
            self.assertEqual(target["SubnetId"], self.id("network/private-" + letter))
            self.assertEqual(self.details["mount groups"]["storage/mount-" + letter], [self.id("access/files")])

    def test_data_volume_is_encrypted_and_attached_beside_the_root(self):
        volume = self.one("volumes", VolumeId=self.id("storage/data"))
        instance = self.details["instance"]
        self.assertTrue(volume["Encrypted"])
        self.assertEqual(volume["VolumeType"], "gp3")
        self.assertEqual(volume["AvailabilityZone"], instance["Placement"]["AvailabilityZone"])
        self.assertEqual([a["InstanceId"] for a in volume["Attachments"]], [instance["InstanceId"]])

    # Identity and secrets

    def test_role_may_do_what_the_machine_needs_on_these_resources_alone(self):
        self.assertEqual(self.details["attached"], ["AmazonSSMManagedInstanceCore"])
        allows = [s for s in self.details["policy"]["Statement"] if s["Effect"] == "Allow"]
        by_action = {a: s["Resource"] for s in allows for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}
        self.assertIn("elasticfilesystem:ClientMount", by_action)
        self.assertIn(self.id("storage/files"), json.dumps(by_action["elasticfilesystem:ClientMount"]))
        self.assertNotIn("*", json.dumps(by_action["elasticfilesystem:ClientMount"]))
        self.assertTrue(json.dumps(by_action["ssm:GetParameter"]).strip('"]').endswith(self.id("secret/stack")))
        self.assertNotIn("*", json.dumps(by_action["ssm:GetParameter"]))

    def test_secrets_are_generated_encrypted_and_nowhere_else(self):
        parameter = self.details["secret"]
        self.assertEqual(parameter["Type"], "SecureString")
        secrets = dict(line.split("=", 1) for line in parameter["Value"].splitlines() if line)
        generated = {k: v for k, v in secrets.items() if "EMAIL" not in k}
        self.assertGreaterEqual(len(generated), 8)
        places = {
            "user data": gzip.decompress(self.details["user data"]).decode(),
            "output": self.deploy.stdout + self.deploy.stderr + json.dumps(self.inspected),
            "tags": json.dumps(self.seen, default=str),
        }
        for path in (p for p in pathlib.Path(self.home).rglob("*") if p.is_file()):
            places[str(path)] = path.read_text(encoding="utf-8", errors="replace")
        self.assertIn(self.log, places)
        for name, secret in generated.items():
            self.assertGreaterEqual(len(secret), 16, name)
            for place, text in places.items():
                self.assertNotIn(secret, text, f"{name} stands in {place}")

    # The machine

    def test_instance_is_locked_down(self):
        instance = self.details["instance"]
        options = instance["MetadataOptions"]
        self.assertEqual((options["HttpTokens"], options["HttpPutResponseHopLimit"]), ("required", 1))
        self.assertEqual([g["GroupId"] for i in instance["NetworkInterfaces"] for g in i["Groups"]], [self.id("access/host")])
        self.assertIn(instance["SubnetId"], [self.id("network/public-" + z) for z in self.letters])
        self.assertTrue(instance["IamInstanceProfile"]["Arn"].endswith(next(p["InstanceProfileName"] for p in self.seen["profiles"])))

    def test_root_volume_is_encrypted_gp3(self):
        instance = self.details["instance"]
        root = next(m["Ebs"]["VolumeId"] for m in instance["BlockDeviceMappings"] if m["DeviceName"] == instance["RootDeviceName"])
        volume = self.one("volumes", VolumeId=root)
        self.assertTrue(volume["Encrypted"])
        self.assertEqual(volume["VolumeType"], "gp3")
        self.assertGreaterEqual(volume["Size"], 40)

    def test_user_data_is_small_cloud_config(self):
        self.assertLess(len(self.details["user data"]), 16384)
        self.assertTrue(gzip.decompress(self.details["user data"]).startswith(b"#cloud-config\n"))

    # Ownership

    def test_everything_that_can_be_tagged_is(self):
        identity = self.inspected["id"]
        found = {}
        for kind in ("vpcs", "subnets", "gateways", "route tables", "endpoints", "security groups", "instances", "volumes", "file systems"):
            for resource in self.seen[kind]:
                if tags(resource).get("geusemaker:stack") == identity:
                    found.setdefault(tags(resource)["geusemaker:key"], tags(resource))
        found[self.details["secret tags"].get("geusemaker:key")] = self.details["secret tags"]
        found[tags(self.details["role"]).get("geusemaker:key")] = tags(self.details["role"])
        for profile in self.seen["profiles"]:
            found[tags(profile).get("geusemaker:key")] = tags(profile)
        untaggable = {"storage/mount-" + z for z in self.letters} | {"identity/policy"}
        self.assertEqual(self.keys - untaggable - set(found), set())
        for key, wanted in found.items():
            if key:
                self.assertEqual((wanted["geusemaker:name"], wanted["geusemaker:tier"]), (NAME, "dev"), key)
                self.assertIn("geusemaker:version", wanted, key)

    def test_root_volume_is_tagged_at_creation(self):
        owned = [v for v in self.seen["volumes"] if tags(v).get("geusemaker:stack") == self.inspected["id"]]
        self.assertEqual(len(owned), 2)


if __name__ == "__main__":
    unittest.main()
