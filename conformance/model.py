"""Holds requests against the API models that AWS publishes, as botocore carries them.

A request is read from the wire as the service would read it: nothing in it may be unknown, every member must be of its type
and within its enumeration, length, range and pattern, and what is required must be there. Then botocore writes the same
members down again, and what it would send must be what was sent; so the reading has missed nothing.

Complaints name the member and the rule, never the value, which may be a secret.
"""

import base64
import binascii
import collections
import json
import urllib.parse

import botocore.loaders
import botocore.model
import botocore.serialize
import regex

Request = collections.namedtuple("Request", "service method url headers body")

LOADER = botocore.loaders.Loader()
FOLDERS = {
    "EC2": "ec2", "EFS": "efs", "IAM": "iam", "SSM": "ssm", "STS": "sts", "Pricing": "pricing", "Service Quotas": "service-quotas",
    "Elastic Load Balancing v2": "elbv2",
}  # fmt: skip
MODELS = {}


class Strange(Exception):
    """A request that cannot be read as its service would read it."""


def model(service):
    """The model of a service by the name that SDKs have for it."""
    if service not in MODELS:
        folder = FOLDERS.get(service) or service.lower().replace(" ", "-")
        MODELS[service] = botocore.model.ServiceModel(LOADER.load_service_model(folder, "service-2"), folder)
        assert MODELS[service].service_id == service, service
    return MODELS[service]


def check(request):
    """Returns the operation of a request, and everything that its model has against it."""
    service = model(request.service)
    try:
        operation, members = read(service, request)
    except Strange as strange:
        return None, [str(strange)]
    complaints = list(judge(members, operation.input_shape, operation.name)) if operation.input_shape else []
    if not complaints:
        complaints += written_again(service, operation, members, request)
    return operation.name, complaints


# Reading


def read(service, request):
    """The operation and its members."""
    protocol = service.metadata["protocol"]
    if protocol in ("ec2", "query"):
        return read_form(service, request)
    if protocol == "json":
        return read_json(service, request)
    if protocol == "rest-json":
        return read_rest(service, request)
    raise Strange(f"the protocol {protocol} is not known")


def operation_of(service, name):
    if name not in service.operation_names:
        raise Strange(f"{service.service_id} has no operation {name}")
    return service.operation_model(name)


def read_form(service, request):
    pairs = urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Strange("a member is sent twice")
    operation = operation_of(service, fields.pop("Action", None))
    if fields.pop("Version", None) != service.api_version:
        raise Strange(f"{operation.name}: the version is not {service.api_version}")
    tree = {}
    for key, value in fields.items():
        *branches, leaf = key.split(".")
        place = tree
        for branch in branches:
            place = place.setdefault(branch, {})
            if not isinstance(place, dict):
                raise Strange(f"{operation.name}: {key} is beneath a value")
        place[leaf] = value
    return operation, from_form(tree, operation.input_shape, operation.name, service.metadata["protocol"]) if operation.input_shape else {}


def form_name(name, shape, protocol):
    """The name that a member has on the wire."""
    s = shape.serialization
    if protocol == "query":
        return s.get("name", name)
    if "queryName" in s:
        return s["queryName"]
    name = s.get("name", name)
    return name[0].upper() + name[1:]


def from_form(tree, shape, path, protocol):
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(tree, dict):
            raise Strange(f"{path} is a value and no structure")
        names = {form_name(name, member, protocol): name for name, member in shape.members.items()}
        unknown = sorted(set(tree) - set(names))
        if unknown:
            raise Strange(f"{path} has no member {', '.join(unknown)}")
        return {names[k]: from_form(v, shape.members[names[k]], f"{path}.{names[k]}", protocol) for k, v in tree.items()}
    if kind == "list":
        if protocol == "query" and not shape.serialization.get("flattened"):
            inner = shape.member.serialization.get("name", "member")
            if not isinstance(tree, dict) or set(tree) != {inner}:
                raise Strange(f"{path} is no list of {inner}")
            tree = tree[inner]
        if not isinstance(tree, dict) or sorted(tree) != sorted(str(n + 1) for n in range(len(tree))):
            raise Strange(f"{path} is not numbered from 1")
        return [from_form(tree[str(n + 1)], shape.member, f"{path}[{n}]", protocol) for n in range(len(tree))]
    if not isinstance(tree, str):
        raise Strange(f"{path} is no {kind}")
    return from_text(tree, shape, path)


def from_text(text, shape, path):
    """A value that the wire carries as text."""
    kind = shape.type_name
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind in ("integer", "long") and regex.fullmatch(r"-?\d+", text):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "blob":
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            raise Strange(f"{path} is not in base64") from None
    if kind == "timestamp" and regex.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text):
        return text
    if kind in ("string", "character"):
        return text
    raise Strange(f"{path} is no {kind}")


def read_json(service, request):
    prefix, _, name = request.headers.get("X-Amz-Target", "").rpartition(".")
    operation = operation_of(service, name)
    if prefix != service.metadata["targetPrefix"]:
        raise Strange(f"{name}: the target is not {service.metadata['targetPrefix']}")
    if request.headers.get("Content-Type") != f"application/x-amz-json-{service.metadata['jsonVersion']}":
        raise Strange(f"{name}: the content type is not that of the protocol")
    return operation, json.loads(request.body)


def read_rest(service, request):
    url = urllib.parse.urlsplit(request.url)
    query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True, strict_parsing=bool(url.query)))
    for name in service.operation_names:
        operation = service.operation_model(name)
        template = regex.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", regex.escape(operation.http["requestUri"]))
        found = regex.fullmatch(template + "/?", url.path)
        if request.method == operation.http["method"] and found:
            break
    else:
        raise Strange(f"{service.service_id} has no operation for {request.method} {url.path}")
    members = json.loads(request.body) if request.body else {}
    for name, member in (operation.input_shape.members if operation.input_shape else {}).items():
        place, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri" and wire in found.groupdict():
            members[name] = from_text(urllib.parse.unquote(found[wire]), member, f"{operation.name}.{name}")
        elif place == "querystring" and wire in query:
            members[name] = from_text(query.pop(wire), member, f"{operation.name}.{name}")
        elif place:
            members.pop(wire, None) if place != "uri" else None
    if query:
        raise Strange(f"{operation.name} knows no {', '.join(sorted(query))} in the address")
    return operation, members


# Judging


def judge(value, shape, path):
    """Yields what a model has against a value."""
    kind = shape.type_name
    meta = shape.metadata
    if kind == "structure":
        if not isinstance(value, dict):
            yield f"{path} is no structure"
            return
        for name in set(value) - set(shape.members):
            yield f"{path} has no member {name}"
        for name in set(shape.required_members) - set(value):
            yield f"{path} needs {name}"
        for name in set(value) & set(shape.members):
            yield from judge(value[name], shape.members[name], f"{path}.{name}")
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        yield from within(len(value), meta, path, "members")
        for n, one in enumerate(value):
            yield from judge(one, shape.member, f"{path}[{n}]")
    elif kind == "map":
        if not isinstance(value, dict):
            yield f"{path} is no map"
            return
        yield from within(len(value), meta, path, "entries")
        for key, one in value.items():
            yield from judge(key, shape.key, f"{path} key")
            yield from judge(one, shape.value, f"{path}[{key}]")
    elif kind in ("integer", "long", "float", "double"):
        if isinstance(value, bool) or not isinstance(value, int if kind in ("integer", "long") else (int, float)):
            yield f"{path} is no {kind}"
            return
        yield from within(value, meta, path, "as a number")
    elif kind == "boolean":
        if not isinstance(value, bool):
            yield f"{path} is no boolean"
    elif kind == "blob":
        yield from within(len(value), meta, path, "bytes")
    elif kind == "string":
        if not isinstance(value, str):
            yield f"{path} is no string"
            return
        if shape.enum and value not in shape.enum:
            yield f"{path} is none of the {len(shape.enum)} values that it can have"
        yield from within(len(value), meta, path, "characters")
        if "pattern" in meta and not regex.fullmatch(meta["pattern"], value):
            yield f"{path} does not match {meta['pattern']}"


def within(number, meta, path, what):
    if number < meta.get("min", number) or number > meta.get("max", number):
        yield f"{path} has {number} {what}, not {meta.get('min', 'any')} to {meta.get('max', 'any')}"


# Writing again


def written_again(service, operation, members, request):
    """What differs when botocore writes the same members down."""
    serializer = botocore.serialize.create_serializer(service.metadata["protocol"], include_validation=True)
    try:
        wanted = serializer.serialize_to_request(members, operation)
    except botocore.exceptions.ParamValidationError as refused:
        return [f"{operation.name}: botocore refuses it: {len(str(refused).splitlines()) - 1} reasons"]
    url = urllib.parse.urlsplit(request.url)
    if wanted["method"] != request.method:
        return [f"{operation.name} is sent with {request.method}, not {wanted['method']}"]
    if urllib.parse.unquote(wanted["url_path"].rstrip("/")) != urllib.parse.unquote(url.path.rstrip("/")):
        return [f"{operation.name} is sent to another path than {wanted['url_path']}"]
    protocol = service.metadata["protocol"]
    if protocol in ("ec2", "query"):
        sent = {k: text(v) for k, v in urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True)}
        again = {k: text(v) for k, v in wanted["body"].items()}
    else:
        sent, again = (json.loads(body) if body else {} for body in (request.body, wanted["body"]))
    if sent != again:
        differing = sorted(k for k in set(sent) | set(again) if sent.get(k) != again.get(k))
        return [f"{operation.name}: botocore writes {', '.join(differing)} otherwise"]
    if {k: text(v) for k, v in (wanted["query_string"] or {}).items()} != dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)):
        return [f"{operation.name}: botocore writes the address otherwise"]
    return []


def text(value):
    """A value as the wire carries it, a moment without the zeros that end its fraction."""
    if isinstance(value, bool):
        return str(value).lower()
    return regex.sub(r"(\d\d:\d\d:\d\d)(?:\.0+|(\.\d*[1-9])0*)?Z", r"\1\2Z", str(value))
