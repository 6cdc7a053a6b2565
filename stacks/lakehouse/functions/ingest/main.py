"""Takes what is new on GitHub's public events API into the bronze layer, as gzipped JSON lines.

The API shows the latest 300 events at most, so runs overlap or leave gaps: bronze has events more than once, and the silver
transform keeps one of each.
"""

import datetime
import gzip
import json
import os
import urllib.request

import boto3

URL = "https://api.github.com/events?per_page=100&page={}"
PAGES = 3
RECORDS_PER_CALL = 500  # of Firehose's PutRecordBatch

BUCKET = os.environ["BUCKET"]
PREFIX = os.environ["PREFIX"]  # github/events/
STREAM = os.environ.get("DELIVERY_STREAM")  # set: records go to Firehose, which writes the objects
TOKEN_PARAMETER = os.environ.get("TOKEN_PARAMETER")  # set: an SSM parameter with a token, for a higher rate limit


def token():
    if not TOKEN_PARAMETER:
        return None
    found = boto3.client("ssm").get_parameter(Name=TOKEN_PARAMETER, WithDecryption=True)
    return found["Parameter"]["Value"]


def fetch(page, token):
    headers = {
        "Accept": "application/vnd.github+json",
        "User-Agent": "dp-lakehouse-ingest",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    with urllib.request.urlopen(urllib.request.Request(URL.format(page), headers=headers), timeout=20) as answer:
        return json.load(answer)


def latest_events():
    """Each event once: while pages are read, new events push old ones to the next page."""
    events, credential = {}, token()
    for page in range(1, PAGES + 1):
        found = fetch(page, credential)
        events.update((event["id"], event) for event in found)
        if not found:
            break
    return list(events.values())


def json_line(event):
    return (json.dumps(event, separators=(",", ":")) + "\n").encode()


def write_object(events, now, run):
    key = f"{PREFIX}ingest_dt={now:%Y-%m-%d}/{now:%Y%m%dT%H%M%SZ}-{run}.jsonl.gz"
    body = gzip.compress(b"".join(map(json_line, events)), mtime=0)
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body, ContentType="application/gzip")
    return f"s3://{BUCKET}/{key}"


def send_records(events):
    firehose = boto3.client("firehose")
    records = [{"Data": json_line(event)} for event in events]
    for start in range(0, len(records), RECORDS_PER_CALL):
        answer = firehose.put_record_batch(
            DeliveryStreamName=STREAM, Records=records[start : start + RECORDS_PER_CALL]
        )
        if answer["FailedPutCount"]:
            # The run is repeated as a whole; the silver transform drops what then is there twice.
            raise RuntimeError(f"{answer['FailedPutCount']} records were not taken by {STREAM}")
    return STREAM


def handler(_event, context):
    now = datetime.datetime.now(datetime.timezone.utc)
    events = latest_events()
    target = None
    if events:
        target = send_records(events) if STREAM else write_object(events, now, context.aws_request_id)
    # A metric filter counts the events of these lines.
    print(json.dumps({"event": "ingested", "count": len(events), "target": target}))
    return {"count": len(events), "target": target}
