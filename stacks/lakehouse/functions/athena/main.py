"""Runs one statement in Athena and waits for it: the transforms into silver and gold.

The statement leaves out what its table has already, so a run that is repeated does no harm.
"""

import json
import os
import time

import boto3

QUERY = os.environ["QUERY"]
DATABASE = os.environ["DATABASE"]
WORKGROUP = os.environ["WORKGROUP"]
TRANSFORM = os.environ["TRANSFORM"]  # silver or gold

SECONDS_BETWEEN_LOOKS = 2
# What is left of the function's time when a query is stopped.
MILLISECONDS_TO_STOP = 15_000


def log(event, **more):
    # Metric filters count these lines by `event`.
    print(json.dumps({"event": event, "transform": TRANSFORM, **more}))


def wait(athena, query_id, context):
    while True:
        execution = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return execution
        if context.get_remaining_time_in_millis() < MILLISECONDS_TO_STOP:
            athena.stop_query_execution(QueryExecutionId=query_id)
            log("query_failed", query_id=query_id, reason="out of time")
            raise TimeoutError(f"query {query_id} was stopped: the function's time is up")
        time.sleep(SECONDS_BETWEEN_LOOKS)


def handler(_event, context):
    athena = boto3.client("athena")
    try:
        # Where results go, and how they are encrypted, is the workgroup's matter.
        started = athena.start_query_execution(
            QueryString=QUERY, QueryExecutionContext={"Database": DATABASE}, WorkGroup=WORKGROUP
        )
    except Exception as error:
        log("query_failed", reason=str(error))
        raise
    query_id = started["QueryExecutionId"]
    execution = wait(athena, query_id, context)
    status = execution["Status"]
    if status["State"] != "SUCCEEDED":
        reason = status.get("StateChangeReason", status["State"])
        log("query_failed", query_id=query_id, reason=reason)
        raise RuntimeError(f"query {query_id}: {reason}")
    scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
    log("query_succeeded", query_id=query_id, bytes_scanned=scanned)
    return {"query_id": query_id, "bytes_scanned": scanned}
