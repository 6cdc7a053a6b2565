"""Tells the workflow whether both files of a batch are there.

A batch is `reviews/BATCH.json` and `metadata/BATCH.json` in the raw bucket. They arrive in any order and minutes apart; the
workflow starts with the reviews and asks again until this answers READY, or LATE once it has waited too long.
"""
import datetime
import os
import re

import boto3
from botocore.exceptions import ClientError

KEY = re.compile(r"reviews/([A-Za-z0-9][A-Za-z0-9_-]*)\.json")

s3 = boto3.client("s3")


def exists(bucket, key):
    try:
        # An empty file is one that is still being prepared.
        return s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
            return False
        raise


def waited(started, now):
    """Seconds since `started`, which Step Functions writes as 2026-01-31T12:00:00.123Z."""
    return (now - datetime.datetime.fromisoformat(started)).total_seconds()


def handler(event, _context):
    found = KEY.fullmatch(event["key"])
    if not found:
        raise ValueError(f"{event['key']} is not reviews/BATCH.json")
    batch = found[1]
    needed = [f"{dataset}/{batch}.json" for dataset in os.environ["DATASETS"].split(",")]
    missing = [key for key in needed if not exists(event["bucket"], key)]
    now = datetime.datetime.now(datetime.timezone.utc)
    if not missing:
        status = "READY"
    elif waited(event["started"], now) < int(os.environ["MAX_WAIT_SECONDS"]):
        status = "WAITING"
    else:
        status = "LATE"
    return {"status": status, "batch": batch, "missing": missing}
