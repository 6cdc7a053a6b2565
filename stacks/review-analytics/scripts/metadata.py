"""Glue job: a batch of product metadata, from one JSON array to Parquet."""
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as f
from pyspark.sql.window import Window

args = getResolvedOptions(sys.argv, ["JOB_NAME", "batch", "raw_bucket", "processed_bucket"])
glue = GlueContext(SparkContext.getOrCreate())
job = Job(glue)
job.init(args["JOB_NAME"], args)

raw = glue.spark_session.read.option("multiLine", True).json(f"s3://{args['raw_bucket']}/metadata/{args['batch']}.json")
products = raw.select(
    f.col("parent_asin").alias("product_id"),
    f.trim("title").alias("title"),
    f.col("main_category").alias("category"),
    f.col("store"),
    f.col("price").cast("decimal(10,2)").alias("price"),
    f.col("average_rating").cast("double").alias("average_rating"),
    f.col("rating_number").cast("long").alias("rating_count"),
).where(f.col("product_id").isNotNull())
# One row for each product: the one with most ratings is the newest.
newest = Window.partitionBy("product_id").orderBy(f.col("rating_count").desc_nulls_last())
products = products.withColumn("row", f.row_number().over(newest)).where("row = 1").drop("row")

# The batch has a folder of its own that is written anew, so a run can be repeated.
products.write.mode("overwrite").parquet(f"s3://{args['processed_bucket']}/metadata/batch={args['batch']}/")
job.commit()
