"""Glue job: a batch of reviews, from one JSON array to Parquet."""
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as f

args = getResolvedOptions(sys.argv, ["JOB_NAME", "batch", "raw_bucket", "processed_bucket"])
glue = GlueContext(SparkContext.getOrCreate())
job = Job(glue)
job.init(args["JOB_NAME"], args)

raw = glue.spark_session.read.option("multiLine", True).json(f"s3://{args['raw_bucket']}/reviews/{args['batch']}.json")
reviews = (
    raw.select(
        f.col("parent_asin").alias("product_id"),
        f.col("user_id"),
        f.col("rating").cast("double").alias("rating"),
        f.trim("title").alias("title"),
        f.trim("text").alias("text"),
        f.col("helpful_vote").cast("long").alias("helpful_votes"),
        f.col("verified_purchase").cast("boolean").alias("verified_purchase"),
        # Milliseconds since 1970.
        (f.col("timestamp") / 1000).cast("timestamp").alias("reviewed_at"),
    )
    .where("product_id is not null and user_id is not null and rating between 1 and 5")
    .dropDuplicates(["product_id", "user_id", "reviewed_at"])
)

# The batch has a folder of its own that is written anew, so a run can be repeated.
reviews.write.mode("overwrite").parquet(f"s3://{args['processed_bucket']}/reviews/batch={args['batch']}/")
job.commit()
