"""The life of every variant of a configuration against moto, each read back with boto3.

VARIANTS=full takes the whole matrix, otherwise as few variants as it takes for every two choices to meet.
"""

import base64
import concurrent.futures
import gzip
import json
import os
import queue
import tempfile
import unittest

import jsonschema
import variants
import yaml
from account import Moto, everything, tags
from product import BINARY, keys_in, zones
from proxy import Proxy

NAME = "varied"
WORKERS = 6  # a life mostly waits
FULL = os.environ.get("VARIANTS") == "full"
SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".venv", "cloud-init", "schema.json")
PORTS = {"internal": {443, 11434, 6333, 11235}, "off": {80, 11434, 6333, 11235}, "acme": {443, 11434, 6333, 11235}}
UNTAGGABLE = {"mount-target", "role-policy"}


class Life(unittest.TestCase):
    """One variant in an account of its own."""

    def __init__(self, proxy, home, variant):
        super().__init__()
        self.proxy, self.home, self.variant = proxy, home, variant
        self.ec2, self.efs, self.iam, self.ssm = (proxy.client(s) for s in ("ec2", "efs", "iam", "ssm"))

    def run_json(self, *args):
        done = self.proxy.run((BINARY, *args, "-o", "json"), self.home)
        self.assertEqual(done.returncode, 0, f"{' '.join(args)}:\n{done.stderr}")
        self.calls = done.calls
        return json.loads(done.stdout)

    def live(self):
        self.ec2.create_key_pair(KeyName=variants.KEY_PAIR)
        self.reused = variants.REUSES.get(self.variant["reuse"], ())
        self.company = variants.company(self.ec2, self.efs) if self.reused else {}
        before = everything(self.proxy)
        made = self.run_json("deploy", NAME, *variants.flags(self.variant, self.company), "--wait", "instance", "--yes")
        self.seen, self.ids = everything(self.proxy), {r["key"]: r["id"] for r in made["resources"]}
        self.closed = self.variant["egress"] == "restricted" and "--security-group-id" not in self.reused
        if not self.reused:
            self.assertEqual(set(self.ids), keys_in(zones(self.ids)) | ({"access/host-files"} if self.closed else set()))
        self.judge_what_is_the_users(before)
        self.instance = self.one("instances", InstanceId=self.ids["compute/instance"])
        self.filled = self.variant["settings"] == "filled"
        for judge in (self.judge_tags, self.judge_network, self.judge_rules, self.judge_machine, self.judge_disks, self.judge_files,
                      self.judge_identity, self.judge_user_data, self.judge_secrets):  # fmt: skip
            judge(made)
        destroyed = self.run_json("destroy", NAME, "--yes")
        self.assertTrue(destroyed["proven"])
        self.assertEqual(everything(self.proxy), before, "the account is not as before")

    def one(self, kind, **wanted):
        found = [r for r in self.seen[kind] if all(r.get(k) == v for k, v in wanted.items())]
        self.assertEqual(len(found), 1, f"{kind} with {wanted}")
        return found[0]

    def judge_what_is_the_users(self, before):
        """What was there is as it was, but for the rules that were asked for and the number of mount targets."""
        for kind in ("vpcs", "subnets", "gateways", "route tables", "security groups", "file systems"):
            if kind != "security groups" or "--security-group-id" not in self.reused:
                seen = [r | {"NumberOfMountTargets": 0} if kind == "file systems" else r for r in self.seen[kind]]
                self.assertEqual([r for r in before[kind] if r not in seen], [], kind)
        for flag in self.reused:
            self.assertIn(self.company[flag], self.ids.values(), flag)

    def judge_tags(self, made):
        """Everything that can be tagged tells whose it is, what it is and what it is called."""
        found = {}
        for kind in ("vpcs", "subnets", "gateways", "route tables", "endpoints", "security groups", "instances", "volumes", "file systems"):
            for resource in self.seen[kind]:
                if tags(resource).get("geusemaker:stack") == made["id"]:
                    found.setdefault(tags(resource)["geusemaker:key"], []).append(tags(resource))
        for rule in self.ec2.describe_security_group_rules()["SecurityGroupRules"]:
            if tags(rule).get("geusemaker:stack") == made["id"]:
                found.setdefault(tags(rule)["geusemaker:key"], []).append(tags(rule))
        role, profile = (self.ids["identity/" + k].rpartition("/")[2] for k in ("role", "profile"))
        secret = self.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=self.ids["secret/stack"])["TagList"]
        for resource in (
            {"Tags": self.iam.list_role_tags(RoleName=role)["Tags"]},
            self.one("profiles", InstanceProfileName=profile),
            {"Tags": secret},
        ):
            found.setdefault(tags(resource).get("geusemaker:key"), []).append(tags(resource))
        own = {r["key"] for r in made["resources"] if r["owned"] and r["kind"] not in UNTAGGABLE}
        self.assertEqual(own ^ {key for key in found if key in self.ids}, set(), "without tags, or with those of others")
        for key, all_tags in found.items():
            for one in all_tags:
                self.assertEqual((one["geusemaker:name"], one["geusemaker:tier"]), (NAME, "dev"), key)
                self.assertIn("geusemaker:version", one, key)
                if self.filled:
                    self.assertEqual((one.get("team"), one.get("cost-center")), ("ai", "42"), key)
        names = {key: one["Name"] for key, (one, *_) in found.items() if "Name" in one}
        named = {
            r["key"]
            for r in made["resources"]
            if r["kind"] != "security-group-rule" and r["key"].split("/")[0] in ("network", "access", "storage", "compute")
        }
        self.assertEqual((named & set(found)) - set(names), set(), "without a name")
        self.assertTrue(all(NAME in name for name in names.values()), names)
        asked = {call.operation: call.tagged for call in self.calls if call.service == "ec2"}  # also for what moto does not tag
        machine = {"instance", "volume", "network-interface"}
        self.assertLessEqual(
            machine | ({"spot-instances-request"} if self.variant["market"] != "on-demand" else set()), asked["RunInstances"]
        )
        if self.variant["access"] == "direct" or self.variant["ssh"] == "key":
            self.assertEqual(asked["AuthorizeSecurityGroupIngress"], {"security-group-rule"})
        volumes = [v for v in self.seen["volumes"] if tags(v).get("geusemaker:stack") == made["id"]]
        self.assertEqual(len(volumes), 2, "the root volume and that of the data")

    def judge_network(self, made):
        vpc = self.one("vpcs", VpcId=self.ids["network/vpc"])
        if set(self.reused) - {"--efs-id"}:
            self.assertEqual(self.instance["VpcId"], self.company["--vpc-id"])
            if "--subnet-id" in self.reused:
                self.assertEqual(self.instance["SubnetId"], self.company["--subnet-id"])
            return
        if self.filled:
            self.assertEqual(vpc["CidrBlock"], "10.77.0.0/16")
        self.assertGreater(len(zones(self.ids)), 1)
        for letter in zones(self.ids):
            for side in ("public", "private"):
                subnet = self.one("subnets", SubnetId=self.ids[f"network/{side}-{letter}"])
                self.assertEqual((subnet["VpcId"], subnet["MapPublicIpOnLaunch"]), (vpc["VpcId"], side == "public"))
        self.assertIn(self.instance["SubnetId"], [self.ids["network/public-" + z] for z in zones(self.ids)])

    def judge_rules(self, made):
        """Nothing is open but what the variant asks for, and that only to those that it names."""
        group = self.one("security groups", GroupId=self.ids["access/host"])
        opened = {(p["FromPort"], r["CidrIp"]) for p in group["IpPermissions"] for r in p["IpRanges"]}
        self.assertEqual(
            [p for p in group["IpPermissions"] if p.get("UserIdGroupPairs") or p.get("Ipv6Ranges") or p["FromPort"] != p["ToPort"]], []
        )
        wanted = set()
        if self.variant["access"] == "direct":
            clients = variants.FILLED["--allow-cidrs"].split(",") if self.filled else ["127.0.0.1/32"]
            wanted |= {(port, cidr) for port in PORTS[self.variant["https"]] for cidr in clients}
            if self.variant["https"] == "acme":
                wanted.add((80, "0.0.0.0/0"))  # from where the certificate authority asks, nobody knows
        if self.variant["ssh"] == "key":
            wanted.add((22, variants.SSH_CIDR))
        self.assertEqual(opened, wanted)
        files = self.one("security groups", GroupId=self.ids["access/files"])
        self.assertEqual(
            [(p["FromPort"], p["ToPort"], p["IpRanges"], [g["GroupId"] for g in p["UserIdGroupPairs"]]) for p in files["IpPermissions"]],
            [(2049, 2049, [], [self.ids["access/host"]])],
        )
        self.judge_way_out(group, files)

    def judge_way_out(self, host, files):
        """Everything is open to the outside, or with restricted egress only what the machine needs, and nothing for the file system."""
        everything_out = {("-1", None, None, "0.0.0.0/0")}
        if not self.closed:
            self.assertEqual((way_out(host), way_out(files)), (everything_out, everything_out))
            return
        wanted = {("tcp", 443, 443, "0.0.0.0/0"), ("tcp", 80, 80, "0.0.0.0/0"), ("udp", 123, 123, "0.0.0.0/0")}
        wanted.add(("tcp", 2049, 2049, files["GroupId"]))
        if set(self.reused) - {"--efs-id"}:  # which may have name servers of its own
            wanted |= {(protocol, 53, 53, variants.NETWORK) for protocol in ("tcp", "udp")}
        self.assertEqual((way_out(host), way_out(files)), (wanted, set()))

    def judge_machine(self, made):
        i, options = self.instance, self.instance["MetadataOptions"]
        self.assertEqual((options["HttpTokens"], options["HttpEndpoint"], options["HttpPutResponseHopLimit"]), ("required", "enabled", 1))
        self.assertEqual(i["Architecture"], self.variant["architecture"])
        self.assertEqual([g["GroupId"] for n in i["NetworkInterfaces"] for g in n["Groups"]], [self.ids["access/host"]])
        self.assertEqual(i.get("KeyName"), variants.KEY_PAIR if self.variant["ssh"] == "key" else None)
        self.assertEqual(i.get("InstanceLifecycle", "on-demand"), "on-demand" if self.variant["market"] == "on-demand" else "spot")
        self.assertEqual(i["ImageId"], made["image"]["id"])
        self.assertTrue(i["IamInstanceProfile"]["Arn"].endswith(self.ids["identity/profile"].rpartition("/")[2]))
        gpus = self.ec2.describe_instance_types(InstanceTypes=[i["InstanceType"]])["InstanceTypes"][0].get("GpuInfo", {}).get("Gpus", [])
        self.assertEqual(bool(gpus), self.variant["workload"] == "gpu", i["InstanceType"])

    def judge_disks(self, made):
        i = self.instance
        root_id = next(m["Ebs"]["VolumeId"] for m in i["BlockDeviceMappings"] if m["DeviceName"] == i["RootDeviceName"])
        root, data = self.one("volumes", VolumeId=root_id), self.one("volumes", VolumeId=self.ids["storage/data"])
        for volume in (root, data):
            self.assertTrue(volume["Encrypted"], volume["VolumeId"])
            self.assertEqual(volume["VolumeType"], "gp3")
            self.assertEqual([a["InstanceId"] for a in volume["Attachments"]], [i["InstanceId"]])
        least = 150 if self.filled else 100 if self.variant["workload"] == "gpu" else 40
        self.assertEqual((root["Size"], data["Size"]), (least, 60 if self.filled else 40))
        self.assertEqual(data["Throughput"], 300 if self.filled else 250)
        self.assertEqual(data["AvailabilityZone"], i["Placement"]["AvailabilityZone"])

    def judge_files(self, made):
        system = self.one("file systems", FileSystemId=self.ids["storage/files"])
        self.assertTrue(system["Encrypted"])
        if "--efs-id" in self.reused:
            return
        policy = json.loads(self.efs.describe_file_system_policy(FileSystemId=system["FileSystemId"])["Policy"])
        self.assertTrue(any(s["Effect"] == "Deny" and "aws:SecureTransport" in json.dumps(s["Condition"]) for s in policy["Statement"]))
        for letter in [key[-1] for key in self.ids if key.startswith("storage/mount-")]:
            target = self.one("mount targets", MountTargetId=self.ids["storage/mount-" + letter])
            if set(self.reused) - {"--efs-id"}:
                self.assertEqual(target["VpcId"], self.company["--vpc-id"])
            else:
                self.assertEqual(target["SubnetId"], self.ids["network/private-" + letter])
            groups = self.efs.describe_mount_target_security_groups(MountTargetId=target["MountTargetId"])["SecurityGroups"]
            self.assertEqual(groups, [self.ids["access/files"]])

    def judge_identity(self, made):
        name = self.ids["identity/role"].rpartition("/")[2]
        role = self.iam.get_role(RoleName=name)["Role"]
        self.assertEqual([s["Principal"] for s in role["AssumeRolePolicyDocument"]["Statement"]], [{"Service": "ec2.amazonaws.com"}])
        attached = [p["PolicyName"] for p in self.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]]
        self.assertEqual(attached, ["AmazonSSMManagedInstanceCore"])
        for policy in self.iam.list_role_policies(RoleName=name)["PolicyNames"]:
            for s in self.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]["Statement"]:
                if s["Effect"] == "Allow" and s["Resource"] in ("*", ["*"]):
                    actions = [s["Action"]] if isinstance(s["Action"], str) else s["Action"]
                    self.assertTrue(all(a.partition(":")[2].startswith("Describe") for a in actions), s)

    def judge_user_data(self, made):
        """It is what cloud-init takes, by its own schema, and no larger than EC2 takes."""
        packed = self.user_data()
        self.assertLessEqual(len(packed), 16384)
        text = gzip.decompress(packed).decode()
        self.assertTrue(text.startswith("#cloud-config\n"))
        with open(SCHEMA, encoding="utf-8") as schema:
            jsonschema.validate(yaml.safe_load(text), json.load(schema))
        self.assertEqual("Europe/Berlin" in text, self.filled)
        self.assertEqual(variants.DOMAIN in text, self.variant["https"] == "acme")

    def user_data(self):
        answer = self.ec2.describe_instance_attribute(InstanceId=self.instance["InstanceId"], Attribute="userData")
        return base64.b64decode(answer["UserData"]["Value"])

    def judge_secrets(self, made):
        """The secrets stand in one encrypted parameter, and nowhere that somebody who may only look can see."""
        parameter = self.ssm.get_parameter(Name=self.ids["secret/stack"], WithDecryption=True)["Parameter"]
        self.assertEqual(parameter["Type"], "SecureString")
        lines = dict(line.split("=", 1) for line in parameter["Value"].splitlines() if line)
        secrets = {k: v for k, v in lines.items() if "EMAIL" not in k}
        self.assertGreaterEqual(len(secrets), 8)
        attributes = [
            self.ec2.describe_instance_attribute(InstanceId=self.instance["InstanceId"], Attribute=a)
            for a in ("instanceType", "kernel", "ramdisk", "disableApiTermination", "instanceInitiatedShutdownBehavior", "rootDeviceName")
        ]
        self.assertEqual(self.ec2.describe_launch_templates()["LaunchTemplates"], [], "they would show the user data to more people")
        for args in (("logs", NAME, "--timeout", "5s"), ("health", NAME)):
            self.proxy.run((BINARY, *args), self.home)  # what they find in moto's machine does not matter
        commands = self.ssm.list_commands()["Commands"]
        self.assertGreater(len(commands), 0, "nothing was sent to the machine")
        places = {
            "user data": gzip.decompress(self.user_data()).decode(), "instance attributes": json.dumps(attributes, default=str),
            "commands": json.dumps(commands, default=str),
            "tags and descriptions": json.dumps(self.seen, default=str), "output": json.dumps(made),
        }  # fmt: skip
        for name, secret in secrets.items():
            self.assertGreaterEqual(len(secret), 16, name)
            for place, text in places.items():
                self.assertNotIn(secret, text, f"{name} stands in the {place}")


def way_out(group):
    """The rules of a security group to the outside, by protocol, ports and peer."""
    return {
        (p["IpProtocol"], p.get("FromPort"), p.get("ToPort"), peer)
        for p in group["IpPermissionsEgress"]
        for peer in [r["CidrIp"] for r in p["IpRanges"]] + [g["GroupId"] for g in p["UserIdGroupPairs"]]
    }


class Variants(unittest.TestCase):
    def test_every_variant_lives_and_leaves_nothing(self):
        chosen = list(variants.full() if FULL else variants.pairs())
        with tempfile.TemporaryDirectory() as folder, Moto(MOTO_AMIS_PATH=variants.images(folder)) as moto:
            self.proxies = queue.SimpleQueue()
            for _ in range(WORKERS):
                self.proxies.put(self.enterContext(Proxy(moto)))
            with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
                lives = [(variant, pool.submit(self.live, variant)) for variant in chosen]
                for variant, life in lives:
                    with self.subTest(variants.name_of(variant)):
                        life.result()
        print(f"\n{len(chosen)} variants of {len(variants.CHOICES)} choices were deployed, read back and destroyed")

    def test_what_cannot_be_is_refused_before_any_call(self):
        refused = [v for v in variants.everything() if not variants.possible(v)]
        with Moto() as moto, Proxy(moto) as proxy, tempfile.TemporaryDirectory() as home:
            for variant in refused[:: len(refused) // 4]:
                done = proxy.run((BINARY, "deploy", NAME, *variants.flags(variant), "--yes", "-o", "json"), home)
                self.assertEqual((done.returncode, done.calls), (2, []), variants.name_of(variant))

    def live(self, variant):
        proxy = self.proxies.get()
        try:
            with tempfile.TemporaryDirectory() as home:
                Life(proxy, home, variant).live()
        finally:
            proxy.reset()
            self.proxies.put(proxy)


if __name__ == "__main__":
    unittest.main()
