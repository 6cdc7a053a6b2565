#!/usr/bin/env python3
"""Every object of an account, as its own APIs list it: what two clouds are compared by.

Reads endpoints from standard input, one to a line, and answers each with one line of JSON: {"SERVICE KIND NAME": {...}, ...}.
Names that an API makes up, dates and addresses are left out or replaced by what they belong to, so that the same stack gives
the same census each time. `--not TEXT` leaves out objects whose name holds TEXT (what keeps the state).

    echo http://127.0.0.1:5000 | census.py
"""
import json
import re
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

# Where the stacks of the repository live.
REGIONS = ["eu-west-2", "eu-west-3"]
SETTINGS = Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}, parameter_validation=False)

# What says when, where or by which number something happened, and not what it is.
VOLATILE = re.compile(
    r"(Date|Time|Timestamp|At|RequestId|ResponseMetadata|CodeSha|LastModified|LastStatusChange|Expiration|VersionIdsToStages)$"
    r"|^(LastUpdatedTime|CreationTime|Created|Modified|ETag|etag|RevisionId|UUID|RoleId|PolicyId|InstanceProfileId|RoleLastUsed"
    r"|TableId|StreamLabel|LatestStreamArn|LatestStreamLabel|GrantId|VersionId|DefaultVersionId|uploadSequenceToken"
    r"|ItemCount|TableSizeBytes|storedBytes|CurrentKeyMaterialId|revisionId|KeyId|Arn|VersionNumber|registryId|Version"
    r"|DeliveryStreamARN|HasMoreDestinations|DestinationId|ApproximateNumberOf\w+|Failures|LastUpdateStatus\w*|NextToken)$"
)
# What S3 itself writes: the logs of accesses to a bucket.
ACCESS_LOG = re.compile(r"/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]{16}$")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")


class Census:
    def __init__(self, endpoint, region, leave_out):
        self.endpoint, self.region, self.leave_out = endpoint, region, leave_out
        self.names = {}
        self.objects = {}

    def of(self, name):
        key = (self.endpoint, self.region, name)
        if key not in CLIENTS:
            CLIENTS[key] = SESSION.client(name, region_name=self.region, endpoint_url=self.endpoint, config=SETTINGS)
        return CLIENTS[key]

    def add(self, kind, name, **parts):
        if not any(text in name for text in self.leave_out):
            self.objects[f"{kind} {name}"] = parts

    def all(self, service, operation, key, **arguments):
        client = self.of(service)
        try:
            if client.can_paginate(operation):
                pages = client.get_paginator(operation).paginate(**arguments)
                return [item for page in pages for item in page.get(key) or []]
            return getattr(client, operation)(**arguments).get(key) or []
        except ClientError:
            return []

    def get(self, service, operation, key=None, **arguments):
        try:
            answer = getattr(self.of(service), operation)(**arguments)
        except ClientError as e:
            return None if e.response["ResponseMetadata"]["HTTPStatusCode"] < 500 else f"error {e}"
        return answer if key is None else answer.get(key)

    def kms(self):
        aliases = self.all("kms", "list_aliases", "Aliases")
        for key in self.all("kms", "list_keys", "Keys"):
            id = key["KeyId"]
            about = self.get("kms", "describe_key", "KeyMetadata", KeyId=id)
            tags = self.get("kms", "list_resource_tags", "Tags", KeyId=id) or []
            title = ", ".join(sorted(a["AliasName"] for a in aliases if a.get("TargetKeyId") == id)) or about["Description"]
            self.names[id] = f"key {title}"
            if about["KeyManager"] == "AWS" or about["KeyState"] == "PendingDeletion":
                continue
            name, n = title, 1
            while f"kms key {name}" in self.objects:
                n += 1
                name = f"{title} ({n})"
            self.add("kms key", name, about=about, tags=tags, policy=self.get("kms", "get_key_policy", "Policy", KeyId=id, PolicyName="default"),
                     rotation=self.get("kms", "get_key_rotation_status", "KeyRotationEnabled", KeyId=id),
                     grants=self.all("kms", "list_grants", "Grants", KeyId=id))
        for alias in aliases:
            if not alias["AliasName"].startswith("alias/aws/"):
                self.add("kms alias", alias["AliasName"], of=alias.get("TargetKeyId"))

    def s3(self):
        parts = ["policy", "tagging", "versioning", "encryption", "cors", "lifecycle_configuration", "logging", "replication",
                 "notification_configuration", "ownership_controls", "accelerate_configuration", "website", "request_payment", "acl"]
        for bucket in self.all("s3", "list_buckets", "Buckets"):
            name = bucket["Name"]
            if any(text in name for text in self.leave_out):
                continue
            found = {part: self.get("s3", f"get_bucket_{part}", Bucket=name) for part in parts}
            found["public"] = self.get("s3", "get_public_access_block", Bucket=name)
            found["lock"] = self.get("s3", "get_object_lock_configuration", Bucket=name)
            for rule in ((found["encryption"] or {}).get("ServerSideEncryptionConfiguration") or {}).get("Rules", []):
                rule.pop("BlockedEncryptionTypes", None)
            for object in self.all("s3", "list_objects_v2", "Contents", Bucket=name):
                if ACCESS_LOG.search("/" + object["Key"]):
                    continue
                about = self.get("s3", "head_object", Bucket=name, Key=object["Key"]) or {}
                about.pop("LastModified", None)
                kept = {k: v for k, v in about.items() if k in ("ContentType", "Metadata", "ServerSideEncryption", "SSEKMSKeyId", "StorageClass")}
                self.add("s3 object", f"{name}/{object['Key']}", size=object["Size"], hash=object["ETag"], about=kept,
                         tags=self.get("s3", "get_object_tagging", "TagSet", Bucket=name, Key=object["Key"]))
            self.add("s3 bucket", name, **found)

    def dynamodb(self):
        for name in self.all("dynamodb", "list_tables", "TableNames"):
            about = self.get("dynamodb", "describe_table", "Table", TableName=name)
            self.add("dynamodb table", name, about=about, tags=self.get("dynamodb", "list_tags_of_resource", "Tags", ResourceArn=about["TableArn"]),
                     ttl=self.get("dynamodb", "describe_time_to_live", "TimeToLiveDescription", TableName=name),
                     backups=self.get("dynamodb", "describe_continuous_backups", "ContinuousBackupsDescription", TableName=name))

    def iam(self):
        for role in self.all("iam", "list_roles", "Roles"):
            name = role["RoleName"]
            inline = {p: self.get("iam", "get_role_policy", "PolicyDocument", RoleName=name, PolicyName=p)
                      for p in self.all("iam", "list_role_policies", "PolicyNames", RoleName=name)}
            self.add("iam role", name, about=role, inline=inline, tags=self.all("iam", "list_role_tags", "Tags", RoleName=name),
                     attached=[p["PolicyArn"] for p in self.all("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)])
        for policy in self.all("iam", "list_policies", "Policies", Scope="Local"):
            version = self.get("iam", "get_policy_version", "PolicyVersion", PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
            self.add("iam policy", policy["PolicyName"], document=(version or {}).get("Document"), attached=policy.get("AttachmentCount"),
                     tags=self.all("iam", "list_policy_tags", "Tags", PolicyArn=policy["Arn"]))
        for profile in self.all("iam", "list_instance_profiles", "InstanceProfiles"):
            self.add("iam instance profile", profile["InstanceProfileName"], roles=[r["RoleName"] for r in profile["Roles"]])
        for provider in self.all("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList"):
            self.add("iam oidc", provider["Arn"], about=self.get("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=provider["Arn"]))
        for user in self.all("iam", "list_users", "Users"):
            self.add("iam user", user["UserName"],
                     attached=[p["PolicyArn"] for p in self.all("iam", "list_attached_user_policies", "AttachedPolicies", UserName=user["UserName"])])

    def simple(self):
        """Services of which a list says (nearly) everything."""
        for url in self.all("sqs", "list_queues", "QueueUrls"):
            self.add("sqs queue", url.rsplit("/", 1)[1], about=self.get("sqs", "get_queue_attributes", "Attributes", QueueUrl=url, AttributeNames=["All"]),
                     tags=self.get("sqs", "list_queue_tags", "Tags", QueueUrl=url))
        for topic in self.all("sns", "list_topics", "Topics"):
            arn = topic["TopicArn"]
            self.add("sns topic", arn, about=self.get("sns", "get_topic_attributes", "Attributes", TopicArn=arn),
                     tags=self.get("sns", "list_tags_for_resource", "Tags", ResourceArn=arn))
        for subscription in self.all("sns", "list_subscriptions", "Subscriptions"):
            about = self.get("sns", "get_subscription_attributes", "Attributes", SubscriptionArn=subscription["SubscriptionArn"]) or {}
            about.pop("SubscriptionArn", None)
            self.add("sns subscription", f"{subscription['TopicArn']} {subscription['Protocol']} {subscription['Endpoint']}", about=about)
        for group in self.all("logs", "describe_log_groups", "logGroups"):
            self.add("log group", group["logGroupName"], about=group, tags=self.get("logs", "list_tags_log_group", "tags", logGroupName=group["logGroupName"]))
        for filter in self.all("logs", "describe_metric_filters", "metricFilters"):
            self.add("metric filter", f"{filter['logGroupName']} {filter['filterName']}", about=filter)
        for policy in self.all("logs", "describe_resource_policies", "resourcePolicies"):
            self.add("log policy", policy["policyName"], about=policy)
        for function in self.all("lambda", "list_functions", "Functions"):
            name = function["FunctionName"]
            self.add("function", name, about=function, tags=self.get("lambda", "list_tags", "Tags", Resource=function["FunctionArn"]),
                     policy=self.get("lambda", "get_policy", "Policy", FunctionName=name))
        for mapping in self.all("lambda", "list_event_source_mappings", "EventSourceMappings"):
            mapping.pop("EventSourceMappingArn", None)
            self.add("event source mapping", f"{mapping['FunctionArn']} {mapping.get('EventSourceArn')}", about=mapping)
        for layer in self.all("lambda", "list_layers", "Layers"):
            versions = self.all("lambda", "list_layer_versions", "LayerVersions", LayerName=layer["LayerName"])
            self.add("layer", layer["LayerName"], versions=len(versions))
        for database in self.all("glue", "get_databases", "DatabaseList"):
            self.add("glue database", database["Name"], about=database)
            for table in self.all("glue", "get_tables", "TableList", DatabaseName=database["Name"]):
                self.add("glue table", f"{database['Name']}.{table['Name']}", about=table)
        for kind, operation, key in [("job", "get_jobs", "Jobs"), ("crawler", "get_crawlers", "Crawlers")]:
            for about in self.all("glue", operation, key):
                arn = f"arn:aws:glue:{self.region}:123456789012:{kind}/{about['Name']}"
                self.add(f"glue {kind}", about["Name"], about=about, tags=self.get("glue", "get_tags", "Tags", ResourceArn=arn))
        for about in self.all("glue", "get_classifiers", "Classifiers"):
            kind, body = next(iter(about.items()))
            self.add("glue classifier", body["Name"], kind=kind, about=body)
        for registry in self.all("glue", "list_registries", "Registries"):
            self.add("glue registry", registry["RegistryName"], about=registry)
        for rule in self.all("events", "list_rules", "Rules"):
            targets = self.all("events", "list_targets_by_rule", "Targets", Rule=rule["Name"])
            self.add("event rule", rule["Name"], about=rule, targets=targets, tags=self.get("events", "list_tags_for_resource", "Tags", ResourceARN=rule["Arn"]))
        for alarm in self.all("cloudwatch", "describe_alarms", "MetricAlarms"):
            for name in [k for k in alarm if k.startswith("State")]:
                alarm.pop(name)
            self.add("alarm", alarm["AlarmName"], about=alarm, tags=self.get("cloudwatch", "list_tags_for_resource", "Tags", ResourceARN=alarm["AlarmArn"]))
        for board in self.all("cloudwatch", "list_dashboards", "DashboardEntries"):
            self.add("dashboard", board["DashboardName"], body=self.get("cloudwatch", "get_dashboard", "DashboardBody", DashboardName=board["DashboardName"]))
        for machine in self.all("stepfunctions", "list_state_machines", "stateMachines"):
            about = self.get("stepfunctions", "describe_state_machine", stateMachineArn=machine["stateMachineArn"])
            self.add("state machine", machine["name"], about=about,
                     tags=self.get("stepfunctions", "list_tags_for_resource", "tags", resourceArn=machine["stateMachineArn"]))
        for secret in self.all("secretsmanager", "list_secrets", "SecretList"):
            name = secret["Name"]
            versions = self.get("secretsmanager", "list_secret_version_ids", "Versions", SecretId=name) or []
            value = self.get("secretsmanager", "get_secret_value", "SecretString", SecretId=name)
            for part in ("SecretVersionsToStages", "ARN"):
                secret.pop(part, None)
            self.add("secret", name, about=secret, stages=sorted(s for v in versions for s in v.get("VersionStages", [])), value=value,
                     policy=self.get("secretsmanager", "get_resource_policy", "ResourcePolicy", SecretId=name))
        for repository in self.all("ecr", "describe_repositories", "repositories"):
            name = repository["repositoryName"]
            self.add("repository", name, about=repository, policy=self.get("ecr", "get_lifecycle_policy", "lifecyclePolicyText", repositoryName=name),
                     tags=self.get("ecr", "list_tags_for_resource", "tags", resourceArn=repository["repositoryArn"]))
        for group in self.all("athena", "list_work_groups", "WorkGroups"):
            if group["Name"] != "primary":
                self.add("work group", group["Name"], about=self.get("athena", "get_work_group", "WorkGroup", WorkGroup=group["Name"]))
        for budget in self.all("budgets", "describe_budgets", "Budgets", AccountId="123456789012"):
            for part in ("CalculatedSpend", "LastUpdatedTime", "TimePeriod"):
                budget.pop(part, None)
            self.add("budget", budget["BudgetName"], about=budget)
        for name in self.all("firehose", "list_delivery_streams", "DeliveryStreamNames"):
            self.add("delivery stream", name, about=self.get("firehose", "describe_delivery_stream", "DeliveryStreamDescription", DeliveryStreamName=name))
        for trail in self.all("cloudtrail", "describe_trails", "trailList"):
            self.add("trail", trail["Name"], about=trail, logging=self.get("cloudtrail", "get_trail_status", "IsLogging", Name=trail["Name"]),
                     selectors=self.get("cloudtrail", "get_event_selectors", TrailName=trail["Name"]))
        for parameter in self.all("ssm", "describe_parameters", "Parameters"):
            self.add("parameter", parameter["Name"], about=parameter,
                     value=self.get("ssm", "get_parameter", "Parameter", Name=parameter["Name"], WithDecryption=True),
                     tags=self.get("ssm", "list_tags_for_resource", "TagList", ResourceType="Parameter", ResourceId=parameter["Name"]))

    def clean(self, value, name=""):
        if isinstance(value, dict):
            return {k: self.clean(v, k) for k, v in sorted(value.items()) if not VOLATILE.search(k)}
        if isinstance(value, list):
            return sorted((self.clean(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True, default=str))
        if not isinstance(value, str):
            return value if isinstance(value, (bool, int, float, type(None))) else str(type(value))
        if value[:1] in "{[":
            try:
                return self.clean(json.loads(value))
            except ValueError:
                pass
        value = re.sub(r"http://[\w.]+:\d+", "", value)
        value = re.sub(r"(:secret:[\w/+=.@-]+)-\w{6}", r"\1", value)
        return UUID.sub(lambda found: self.names.get(found[0], "(made up)"), value)

    def take(self):
        # Every region lists the same buckets and roles.
        everywhere = (self.s3, self.iam) if self.region == REGIONS[0] else ()
        for service in (self.kms, *everywhere, self.dynamodb, self.simple):
            service()
        return {UUID.sub("(made up)", name): self.clean(parts) for name, parts in sorted(self.objects.items())}


def census(endpoint, leave_out):
    """The objects of all regions; what is in every region's lists is told once."""
    found = {}
    for region in REGIONS:
        for name, parts in Census(endpoint, region, leave_out).take().items():
            found.setdefault(name, parts)
    return found


SESSION = boto3.Session("testing", "testing")
CLIENTS = {}


def main():
    leave_out = [text for flag, text in zip(sys.argv[1:], sys.argv[2:]) if flag == "--not"]
    for endpoint in sys.stdin:
        for attempt in range(3):
            try:
                print(json.dumps(census(endpoint.strip(), leave_out), default=str), flush=True)
                break
            except ConnectionClosedError:
                if attempt == 2:
                    raise


if __name__ == "__main__":
    main()
