-- Silver to gold: counts by day, kind of event and repository, for whole days of the last week that gold lacks.
INSERT INTO github_events_gold_daily
SELECT
    event_type,
    repo_name,
    count(*) AS event_count,
    count(DISTINCT actor_id) AS actor_count,
    min(created_at) AS first_event_at,
    max(created_at) AS last_event_at,
    ingest_dt
FROM github_events_silver
WHERE year || '-' || month >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m')
    AND ingest_dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
    AND ingest_dt < date_format(current_date, '%Y-%m-%d')
    AND ingest_dt NOT IN (
        SELECT ingest_dt
        FROM github_events_gold_daily
        WHERE ingest_dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
    )
GROUP BY event_type, repo_name, ingest_dt
