-- Bronze to silver: one row for each event, typed. Looks at the last three days, so that a failed run is made up for.
INSERT INTO github_events_silver
SELECT
    event_id, event_type, actor_id, actor_login, repo_id, repo_name, org_login, is_public, payload, created_at, ingest_dt,
    substr(ingest_dt, 1, 4) AS year,
    substr(ingest_dt, 6, 2) AS month
FROM (
    SELECT
        id AS event_id,
        type AS event_type,
        actor.id AS actor_id,
        lower(actor.login) AS actor_login,
        repo.id AS repo_id,
        lower(repo.name) AS repo_name,
        lower(org.login) AS org_login,
        public AS is_public,
        payload,
        CAST(from_iso8601_timestamp(created_at) AS timestamp) AS created_at,
        ingest_dt,
        row_number() OVER (PARTITION BY id ORDER BY ingest_dt) AS copy
    FROM github_events_bronze
    WHERE ingest_dt >= date_format(current_date - INTERVAL '2' DAY, '%Y-%m-%d')
        AND id IS NOT NULL
) AS bronze
WHERE copy = 1
    AND NOT EXISTS (
        SELECT 1
        FROM github_events_silver AS silver
        WHERE silver.event_id = bronze.event_id
            AND silver.year || '-' || silver.month >= date_format(current_date - INTERVAL '2' DAY, '%Y-%m')
    )
