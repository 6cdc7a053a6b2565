"""Says whether an enclave may be deployed as its request asks for."""

import json
import logging
import os

import boto3

log = logging.getLogger()
log.setLevel(logging.INFO)
enclaves = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
ssm = boto3.client("ssm")


def handler(event, context):
    try:
        problems = problems_of(event)
    except json.JSONDecodeError as e:
        problems = [f"the configuration is not JSON: {e}"]
    log.info("enclave %s: %s", event.get("enclave_id"), problems or "valid")
    return {"valid": not problems, "message": "; ".join(problems) or "valid"}


def problems_of(event):
    enclave_id = event.get("enclave_id")
    if not enclave_id:
        return ["the request has no enclave_id"]
    item = enclaves.get_item(Key={"id": enclave_id}, ConsistentRead=True).get("Item")
    if not item:
        return [f"there is no enclave {enclave_id}"]
    if item.get("status") != "PENDING_DEPLOY":
        return [f"the enclave is {item.get('status')}, not PENDING_DEPLOY"]
    wanted = json.loads(event.get("configuration") or "{}")
    if not isinstance(wanted, dict):
        return ["the configuration is not an object"]
    return list(exceeded(wanted, limits()))


def exceeded(wanted, limit):
    """What is wrong with a configuration; what it leaves out, the runner fills in."""
    kinds = limit["instance_types"].split(",")
    if "instance_type" in wanted and wanted["instance_type"] not in kinds:
        yield f"instance_type must be one of {', '.join(kinds)}"
    for name, least in [("cpu_count", 2), ("memory_mib", 1024)]:
        most = int(limit[f"max_{name}"])
        if name in wanted and not (is_whole(wanted[name]) and least <= wanted[name] <= most):
            yield f"{name} must be a whole number from {least} to {most}"
    if "docker_image" in wanted and not (isinstance(wanted["docker_image"], str) and wanted["docker_image"]):
        yield "docker_image must name an image"
    if "debug_mode" in wanted and not isinstance(wanted["debug_mode"], bool):
        yield "debug_mode must be true or false"


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def limits():
    path = os.environ["LIMITS_PATH"]
    found = ssm.get_parameters_by_path(Path=path)["Parameters"]
    return {p["Name"].removeprefix(f"{path}/"): p["Value"] for p in found}
