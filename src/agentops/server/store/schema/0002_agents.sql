-- The agent that a span without an agent's name of its own works for: the nearest above it in its trace.
CREATE TABLE IF NOT EXISTS span_agents ${on_cluster}
(
    project LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    agent LowCardinality(String),
    version UInt64 CODEC(ZSTD(1))
)
ENGINE = ${replacing}(version)
ORDER BY (project, trace_id, span_id)
SETTINGS index_granularity = 1024${settings};
