"""Takes orders from a queue."""

from lib.order import accept


def handler(event, context):
    failed = [record["messageId"] for record in event["Records"] if not accept(record["body"])]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
