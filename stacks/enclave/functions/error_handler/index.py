"""Says what went wrong in a workflow: to the log, as a metric, and to whoever listens to the topic."""

import json
import logging
import os
import time

import boto3

log = logging.getLogger()
log.setLevel(logging.INFO)
sns = boto3.client("sns")


def handler(event, context):
    state = event["input"]
    enclave_id = state.get("enclave_id", "unknown")
    message = message_of(state)
    log.error("enclave %s: %s (%s)", enclave_id, message, event["execution"])
    count_task_failure(state, enclave_id)
    if os.environ["TOPIC_ARN"]:
        sns.publish(
            TopicArn=os.environ["TOPIC_ARN"],
            Subject=f"Enclave {enclave_id}: {event['workflow']} failed"[:100],
            Message=f"{message}\n\nExecution: {event['execution']}",
        )
    return {"message": message}


def message_of(state):
    """The state of a workflow shows how far it got: an error that was caught, a runner that failed, a refused request."""
    if "error" in state:
        return f"{state['error'].get('Error')}: {state['error'].get('Cause', '')}"[:2000]
    if "task" in state:
        return f"the runner ended with exit code {state['task'].get('exit_code')}"
    return state.get("validation", {}).get("message", "unknown error")


def count_task_failure(state, enclave_id):
    """CloudWatch makes metrics of lines in its embedded metric format; no permission is needed."""
    metric = {
        "Namespace": os.environ["METRIC_NAMESPACE"],
        "Dimensions": [[]],
        "Metrics": [{"Name": "TaskFailures", "Unit": "Count"}],
    }
    line = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}}
    # Where the enclave was not marked as started, there was no task.
    print(json.dumps(line | {"TaskFailures": int("started" in state), "enclave_id": enclave_id}))
