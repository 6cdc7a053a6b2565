"""Counts enclaves by status, and marks those as failed whose workflow ended without a word."""

import json
import logging
import os
import time
from datetime import datetime, timedelta, timezone

import boto3
from boto3.dynamodb.conditions import Attr, Key

log = logging.getLogger()
log.setLevel(logging.INFO)
enclaves = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])

STATUSES = ["PENDING_DEPLOY", "DEPLOYING", "DEPLOYED", "PENDING_DESTROY", "DESTROYING", "FAILED"]
# How long a status may last: the workflow's own limit and some grace.
LIMITS = {
    "DEPLOYING": timedelta(seconds=int(os.environ["DEPLOYING_SECONDS"])),
    "DESTROYING": timedelta(seconds=int(os.environ["DESTROYING_SECONDS"])),
}


def handler(event, context):
    now = datetime.now(timezone.utc)
    counts, stuck = {}, 0
    for status in STATUSES:
        items = list(with_status(status))
        counts[status] = len(items)
        for item in items:
            if status in LIMITS and is_overdue(item, LIMITS[status], now):
                stuck += mark_failed(item, now)
    publish(counts | {"Stuck": stuck})
    return {"counts": counts, "stuck": stuck}


def with_status(status):
    page = {"IndexName": "status-index", "KeyConditionExpression": Key("status").eq(status)}
    while True:
        found = enclaves.query(**page)
        yield from found["Items"]
        if "LastEvaluatedKey" not in found:
            return
        page["ExclusiveStartKey"] = found["LastEvaluatedKey"]


def is_overdue(item, limit, now):
    return "updated_at" in item and datetime.fromisoformat(item["updated_at"]) + limit < now


def mark_failed(item, now):
    try:
        enclaves.update_item(
            Key={"id": item["id"]},
            UpdateExpression="SET #status = :failed, updated_at = :now, error_message = :message",
            # Only if nobody was quicker.
            ConditionExpression=Attr("status").eq(item["status"]) & Attr("updated_at").eq(item["updated_at"]),
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":failed": "FAILED",
                ":now": now.isoformat(timespec="milliseconds"),
                ":message": f"{item['status']} since {item['updated_at']}, and no workflow finished it",
            },
        )
    except enclaves.meta.client.exceptions.ConditionalCheckFailedException:
        return 0
    log.error("enclave %s was %s since %s", item["id"], item["status"], item["updated_at"])
    return 1


def publish(values):
    """CloudWatch makes metrics of lines in its embedded metric format; no permission is needed."""
    metric = {
        "Namespace": os.environ["METRIC_NAMESPACE"],
        "Dimensions": [[]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
    }
    print(json.dumps({"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}} | values))
