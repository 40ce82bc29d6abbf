-- What analytics asks of a session's events stands in the session's own row, so that no question joins two tables.
-- `measured` is false for sessions of several traces, whose measures stand beside their traces (session_traces), and
-- for rows of before this migration. Arrays of one length, one element an event.
ALTER TABLE sessions ${on_cluster}
    ADD COLUMN IF NOT EXISTS measured Bool,
    ADD COLUMN IF NOT EXISTS event_kind Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_name Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_model Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_agent Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_duration_ns Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_error Array(Bool) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_input Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_output Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_cache_read Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_cache_write Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_reasoning Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS event_cost Array(Nullable(Float64)) CODEC(ZSTD(1));

-- The failed ones among them: what each said (its first 300 letters), when, in which event.
ALTER TABLE sessions ${on_cluster}
    ADD COLUMN IF NOT EXISTS failed_type Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS failed_said Array(String) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS failed_name Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS failed_at Array(UInt64) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS failed_id Array(String) CODEC(ZSTD(1));
