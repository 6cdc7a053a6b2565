"""Starts a workflow for each request in the table's stream: PENDING_DEPLOY deploys, PENDING_DESTROY cleans up."""

import json
import logging
import os
import re

import boto3
from boto3.dynamodb.types import TypeDeserializer

log = logging.getLogger()
log.setLevel(logging.INFO)
states = boto3.client("stepfunctions")
value_of = TypeDeserializer().deserialize

WORKFLOWS = {
    "PENDING_DEPLOY": ("deploy", os.environ["DEPLOY_WORKFLOW_ARN"]),
    "PENDING_DESTROY": ("destroy", os.environ["CLEANUP_WORKFLOW_ARN"]),
}


def handler(event, context):
    # Records of a stream are in order: what failed first is where Lambda goes on.
    for record in event["Records"]:
        try:
            start_workflow(record)
        except Exception:
            log.exception("record %s is tried again", record["eventID"])
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def start_workflow(record):
    new = image(record, "NewImage")
    if new.get("status") not in WORKFLOWS:
        return
    if new["status"] == image(record, "OldImage").get("status"):
        return  # something else about a pending request was changed
    action, workflow = WORKFLOWS[new["status"]]
    request = {
        "enclave_id": new["id"],
        "wallet_address": new.get("walletAddress", ""),
        "action": action,
        "configuration": configuration(new),
    }
    try:
        started = states.start_execution(
            stateMachineArn=workflow, name=execution_name(action, new["id"], record), input=json.dumps(request)
        )
        log.info("%s of enclave %s: %s", action, new["id"], started["executionArn"])
    except states.exceptions.ExecutionAlreadyExists:
        log.info("%s of enclave %s was started before", action, new["id"])


def image(record, which):
    return {name: value_of(value) for name, value in record["dynamodb"].get(which, {}).items()}


def configuration(enclave):
    """As JSON text, which is how it reaches the runner; tables keep it as text or as a map."""
    given = enclave.get("configuration", {})
    return given if isinstance(given, str) else json.dumps(given, default=number)


def number(decimal):
    return int(decimal) if decimal == int(decimal) else float(decimal)


def execution_name(action, enclave_id, record):
    """The same record always has the same name, so a batch that is tried again starts nothing twice."""
    return re.sub("[^A-Za-z0-9_-]", "-", f"{action}-{enclave_id[:36]}-{record['eventID'][:32]}")
