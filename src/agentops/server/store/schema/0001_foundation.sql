-- What the first version stores. One source for chDB and ClickHouse: ${replacing}, ${plain}, ${on_cluster} and
-- ${settings} are filled in by migrate.py. Statements end with a semicolon at the end of a line.

-- One row a span and version. An end record beats start records, among equals the later received wins (version), so
-- readers ask with FINAL. Parts hold one month of arrival, not of start: a backfill of many old months touches one part.
CREATE TABLE IF NOT EXISTS spans ${on_cluster}
(
    project LowCardinality(String),
    version UInt64 CODEC(Delta, ZSTD(1)),
    received_at UInt64 CODEC(Delta, ZSTD(1)),
    seen_at UInt64 CODEC(Delta, ZSTD(1)),
    resource_id UInt64 CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    parent_id String CODEC(ZSTD(1)),
    declared_session String CODEC(ZSTD(1)),
    kind LowCardinality(String),
    name String CODEC(ZSTD(1)),
    agent LowCardinality(String),
    agent_id String CODEC(ZSTD(1)),
    started_at UInt64 CODEC(Delta, ZSTD(1)),
    ended Bool,
    duration_ns UInt64 CODEC(ZSTD(1)),
    status LowCardinality(String),
    status_message String CODEC(ZSTD(1)),
    model LowCardinality(String),
    request_model LowCardinality(String),
    provider LowCardinality(String),
    response_id String CODEC(ZSTD(1)),
    finish_reason LowCardinality(String),
    tokens_input Nullable(UInt64) CODEC(ZSTD(1)),
    tokens_output Nullable(UInt64) CODEC(ZSTD(1)),
    tokens_cache_read Nullable(UInt64) CODEC(ZSTD(1)),
    tokens_cache_write Nullable(UInt64) CODEC(ZSTD(1)),
    tokens_reasoning Nullable(UInt64) CODEC(ZSTD(1)),
    cost_usd Nullable(Float64) CODEC(ZSTD(1)),
    cost_source LowCardinality(String),
    cost_detail String CODEC(ZSTD(1)),
    first_token_ns Nullable(UInt64) CODEC(ZSTD(1)),
    error_type LowCardinality(String),
    error_message String CODEC(ZSTD(1)),
    error_stack String CODEC(ZSTD(1)),
    source_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    tags Array(LowCardinality(String)),
    session_name String CODEC(ZSTD(1)),
    end_state LowCardinality(String),
    end_reason String CODEC(ZSTD(1)),
    inherited Bool,
    records_sent UInt64 CODEC(ZSTD(1)),
    heartbeat_ns UInt64 CODEC(ZSTD(1)),
    host_env String CODEC(ZSTD(1)),
    input String CODEC(ZSTD(1)),
    input_format LowCardinality(String),
    output String CODEC(ZSTD(1)),
    output_format LowCardinality(String),
    input_preview String CODEC(ZSTD(1)),
    output_preview String CODEC(ZSTD(1)),
    attributes String CODEC(ZSTD(1)),
    span_events String CODEC(ZSTD(1)),
    links String CODEC(ZSTD(1)),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    service LowCardinality(String),
    instance String CODEC(ZSTD(1)),
    seq UInt64 CODEC(ZSTD(1)),
    span_kind UInt8,
    trace_state String CODEC(ZSTD(1)),
    own Bool,
    INDEX started_range started_at TYPE minmax GRANULARITY 8,
    INDEX received_range received_at TYPE minmax GRANULARITY 8
)
ENGINE = ${replacing}(version)
PARTITION BY toYYYYMM(toDateTime(intDiv(received_at, 1000000000), 'UTC'))
ORDER BY (project, trace_id, started_at, span_id)
SETTINGS index_granularity = 1024${settings};

-- The processes that sent spans: their resource attributes, once each.
CREATE TABLE IF NOT EXISTS resources ${on_cluster}
(
    project LowCardinality(String),
    resource_id UInt64,
    json String CODEC(ZSTD(1)),
    version UInt64
)
ENGINE = ${replacing}(version)
ORDER BY (project, resource_id)
SETTINGS index_granularity = 1024${settings};

-- One row a session: everything a list shows, sorts and filters by. Recomputed whenever its spans change.
CREATE TABLE IF NOT EXISTS sessions ${on_cluster}
(
    project LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    version UInt64 CODEC(ZSTD(1)),
    deleted Bool,
    own Bool,
    name String CODEC(ZSTD(1)),
    note String CODEC(ZSTD(1)),
    tags Array(LowCardinality(String)),
    user_id String CODEC(ZSTD(1)),
    state LowCardinality(String),
    state_reason String CODEC(ZSTD(1)),
    started_at UInt64 CODEC(ZSTD(1)),
    ended_at UInt64 CODEC(ZSTD(1)),
    last_seen_at UInt64 CODEC(ZSTD(1)),
    lapses_at UInt64 CODEC(ZSTD(1)),
    events UInt64 CODEC(ZSTD(1)),
    llm UInt64 CODEC(ZSTD(1)),
    tool UInt64 CODEC(ZSTD(1)),
    action UInt64 CODEC(ZSTD(1)),
    agent UInt64 CODEC(ZSTD(1)),
    operation UInt64 CODEC(ZSTD(1)),
    retrieval UInt64 CODEC(ZSTD(1)),
    embedding UInt64 CODEC(ZSTD(1)),
    guardrail UInt64 CODEC(ZSTD(1)),
    errors UInt64 CODEC(ZSTD(1)),
    tokens_input Nullable(UInt64) CODEC(ZSTD(1)),
    tokens_output Nullable(UInt64) CODEC(ZSTD(1)),
    tokens_cache_read Nullable(UInt64) CODEC(ZSTD(1)),
    tokens_cache_write Nullable(UInt64) CODEC(ZSTD(1)),
    tokens_reasoning Nullable(UInt64) CODEC(ZSTD(1)),
    tokens_total Nullable(UInt64) CODEC(ZSTD(1)),
    cost_usd Nullable(Float64) CODEC(ZSTD(1)),
    models Array(LowCardinality(String)),
    agents Array(LowCardinality(String)),
    tools Array(LowCardinality(String)),
    providers Array(LowCardinality(String)),
    error_types Array(LowCardinality(String)),
    service LowCardinality(String),
    host_env String CODEC(ZSTD(1)),
    resource_id UInt64,
    ledger_sent UInt64 CODEC(ZSTD(1)),
    ledger_stored UInt64 CODEC(ZSTD(1)),
    input_preview String CODEC(ZSTD(1)),
    roots Map(String, String) CODEC(ZSTD(1)),
    traces UInt32
)
ENGINE = ${replacing}(version)
ORDER BY (project, session_id)
SETTINGS index_granularity = 256, min_compress_block_size = 8192${settings};

-- Which traces a session has, with what each contributes (`part`, JSON) to its row. A trace that holds several
-- sessions is not `whole`: its spans then belong by what they declare, or by span_sessions.
CREATE TABLE IF NOT EXISTS session_traces ${on_cluster}
(
    project LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    whole Bool,
    deleted Bool,
    part String CODEC(ZSTD(1)),
    version UInt64 CODEC(ZSTD(1))
)
ENGINE = ${replacing}(version)
ORDER BY (project, session_id, trace_id)
SETTINGS index_granularity = 1024${settings};

-- Sessions of spans that declare none, in traces that hold several.
CREATE TABLE IF NOT EXISTS span_sessions ${on_cluster}
(
    project LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    version UInt64 CODEC(ZSTD(1))
)
ENGINE = ${replacing}(version)
ORDER BY (project, trace_id, span_id)
SETTINGS index_granularity = 1024${settings};

-- Calls whose usage another event of the trace states too (wrappers, second instrumentation): sums leave them out.
CREATE TABLE IF NOT EXISTS repeats ${on_cluster}
(
    project LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    repeated Bool,
    version UInt64 CODEC(ZSTD(1))
)
ENGINE = ${replacing}(version)
ORDER BY (project, trace_id, span_id)
SETTINGS index_granularity = 1024${settings};

CREATE TABLE IF NOT EXISTS logs ${on_cluster}
(
    project LowCardinality(String),
    version UInt64 CODEC(Delta, ZSTD(1)),
    received_at UInt64 CODEC(Delta, ZSTD(1)),
    resource_id UInt64 CODEC(ZSTD(1)),
    log_id String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    declared_session String CODEC(ZSTD(1)),
    at_ns UInt64 CODEC(Delta, ZSTD(1)),
    severity UInt8,
    severity_text LowCardinality(String),
    name LowCardinality(String),
    body String CODEC(ZSTD(1)),
    body_format LowCardinality(String),
    logger LowCardinality(String),
    content Bool,
    input String CODEC(ZSTD(1)),
    output String CODEC(ZSTD(1)),
    attributes String CODEC(ZSTD(1)),
    service LowCardinality(String),
    instance String CODEC(ZSTD(1))
)
ENGINE = ${replacing}(version)
PARTITION BY toYYYYMM(toDateTime(intDiv(received_at, 1000000000), 'UTC'))
ORDER BY (project, trace_id, at_ns, log_id)
SETTINGS index_granularity = 1024${settings};

-- What a user said about a session; it survives every recomputation. `gone` holds the traces it had when it was
-- deleted: their stragglers stay out, while later traces of the same foreign id start it anew.
CREATE TABLE IF NOT EXISTS edits ${on_cluster}
(
    project LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    name Nullable(String),
    note Nullable(String),
    tags_set Bool,
    tags Array(String),
    gone Array(String) CODEC(ZSTD(1)),
    version UInt64
)
ENGINE = ${replacing}(version)
ORDER BY (project, session_id)
SETTINGS index_granularity = 1024${settings};

CREATE TABLE IF NOT EXISTS projects ${on_cluster}
(
    project String,
    name String,
    created_at UInt64,
    retention_days UInt32,
    version UInt64
)
ENGINE = ${replacing}(version)
ORDER BY project
SETTINGS index_granularity = 1024${settings};

CREATE TABLE IF NOT EXISTS api_keys ${on_cluster}
(
    key_hash String,
    project String,
    prefix String,
    name String,
    scope LowCardinality(String),
    created_at UInt64,
    used_at UInt64,
    revoked Bool,
    version UInt64
)
ENGINE = ${replacing}(version)
ORDER BY key_hash
SETTINGS index_granularity = 1024${settings};
