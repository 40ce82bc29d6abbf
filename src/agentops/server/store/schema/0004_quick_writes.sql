-- What makes writing quick and the store small. Nothing here changes what a row means.

-- A part of a few hundred rows pays for every column that is compressed for itself, so the small columns take the
-- quicker codec, and columns that nobody groups by keep no dictionary. Texts take the stronger one.
ALTER TABLE spans ${on_cluster}
    MODIFY COLUMN input String CODEC(ZSTD(3)),
    MODIFY COLUMN output String CODEC(ZSTD(3)),
    MODIFY COLUMN input_preview String CODEC(ZSTD(3)),
    MODIFY COLUMN output_preview String CODEC(ZSTD(3)),
    MODIFY COLUMN attributes String CODEC(ZSTD(3)),
    MODIFY COLUMN cost_detail String CODEC(ZSTD(3)),
    MODIFY COLUMN version UInt64 CODEC(Delta, LZ4),
    MODIFY COLUMN received_at UInt64 CODEC(Delta, LZ4),
    MODIFY COLUMN seen_at UInt64 CODEC(Delta, LZ4),
    MODIFY COLUMN started_at UInt64 CODEC(Delta, LZ4),
    MODIFY COLUMN resource_id UInt64 CODEC(LZ4),
    MODIFY COLUMN agent_id String CODEC(LZ4),
    MODIFY COLUMN duration_ns UInt64 CODEC(LZ4),
    MODIFY COLUMN status_message String CODEC(LZ4),
    MODIFY COLUMN response_id String CODEC(LZ4),
    MODIFY COLUMN finish_reason String CODEC(LZ4),
    MODIFY COLUMN tokens_cache_read Nullable(UInt64) CODEC(LZ4),
    MODIFY COLUMN tokens_cache_write Nullable(UInt64) CODEC(LZ4),
    MODIFY COLUMN tokens_reasoning Nullable(UInt64) CODEC(LZ4),
    MODIFY COLUMN first_token_ns Nullable(UInt64) CODEC(LZ4),
    MODIFY COLUMN error_message String CODEC(LZ4),
    MODIFY COLUMN source_id String CODEC(LZ4),
    MODIFY COLUMN user_id String CODEC(LZ4),
    MODIFY COLUMN session_name String CODEC(LZ4),
    MODIFY COLUMN end_state String CODEC(LZ4),
    MODIFY COLUMN end_reason String CODEC(LZ4),
    MODIFY COLUMN records_sent UInt64 CODEC(LZ4),
    MODIFY COLUMN heartbeat_ns UInt64 CODEC(LZ4),
    MODIFY COLUMN host_env String CODEC(LZ4),
    MODIFY COLUMN links String CODEC(LZ4),
    MODIFY COLUMN scope_name String CODEC(LZ4),
    MODIFY COLUMN scope_version String CODEC(LZ4),
    MODIFY COLUMN instance String CODEC(LZ4),
    MODIFY COLUMN seq UInt64 CODEC(LZ4),
    MODIFY COLUMN trace_state String CODEC(LZ4);

ALTER TABLE sessions ${on_cluster}
    MODIFY COLUMN version UInt64 CODEC(LZ4),
    MODIFY COLUMN user_id String CODEC(LZ4),
    MODIFY COLUMN state_reason String CODEC(LZ4),
    MODIFY COLUMN started_at UInt64 CODEC(LZ4),
    MODIFY COLUMN ended_at UInt64 CODEC(LZ4),
    MODIFY COLUMN last_seen_at UInt64 CODEC(LZ4),
    MODIFY COLUMN lapses_at UInt64 CODEC(LZ4),
    MODIFY COLUMN events UInt64 CODEC(LZ4),
    MODIFY COLUMN llm UInt64 CODEC(LZ4),
    MODIFY COLUMN tool UInt64 CODEC(LZ4),
    MODIFY COLUMN action UInt64 CODEC(LZ4),
    MODIFY COLUMN agent UInt64 CODEC(LZ4),
    MODIFY COLUMN operation UInt64 CODEC(LZ4),
    MODIFY COLUMN retrieval UInt64 CODEC(LZ4),
    MODIFY COLUMN embedding UInt64 CODEC(LZ4),
    MODIFY COLUMN guardrail UInt64 CODEC(LZ4),
    MODIFY COLUMN errors UInt64 CODEC(LZ4),
    MODIFY COLUMN tokens_input Nullable(UInt64) CODEC(LZ4),
    MODIFY COLUMN tokens_output Nullable(UInt64) CODEC(LZ4),
    MODIFY COLUMN tokens_cache_read Nullable(UInt64) CODEC(LZ4),
    MODIFY COLUMN tokens_cache_write Nullable(UInt64) CODEC(LZ4),
    MODIFY COLUMN tokens_reasoning Nullable(UInt64) CODEC(LZ4),
    MODIFY COLUMN tokens_total Nullable(UInt64) CODEC(LZ4),
    MODIFY COLUMN cost_usd Nullable(Float64) CODEC(LZ4),
    MODIFY COLUMN ledger_sent UInt64 CODEC(LZ4),
    MODIFY COLUMN ledger_stored UInt64 CODEC(LZ4);
ALTER TABLE session_traces ${on_cluster}
    MODIFY COLUMN version UInt64 CODEC(LZ4);
ALTER TABLE span_agents ${on_cluster}
    MODIFY COLUMN version UInt64 CODEC(LZ4);
ALTER TABLE span_sessions ${on_cluster}
    MODIFY COLUMN version UInt64 CODEC(LZ4);
ALTER TABLE repeats ${on_cluster}
    MODIFY COLUMN version UInt64 CODEC(LZ4);

-- A span's name as it was sent, where readers see another; classes of tokens that few calls have (JSON).
ALTER TABLE spans ${on_cluster}
    ADD COLUMN IF NOT EXISTS source_name String CODEC(LZ4),
    ADD COLUMN IF NOT EXISTS usage_more String CODEC(LZ4);

-- Sparse columns are looked for in each part anew, which small parts pay for. Merges take more parts at once, so
-- that a row is rewritten half as often, with buffers that grow as they are used: a hundred columns with two full
-- ones each would be a third of a gigabyte. What a merge has written is synced, so that its sources can go at once.
ALTER TABLE spans ${on_cluster} MODIFY SETTING
    ratio_of_defaults_for_sparse_serialization = 1, merge_selector_base = 16, merge_max_block_size = 2048,
    min_columns_to_activate_adaptive_write_buffer = 1,
    min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 10, cleanup_delay_period = 5,
    cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 10;
ALTER TABLE logs ${on_cluster} MODIFY SETTING
    ratio_of_defaults_for_sparse_serialization = 1, merge_selector_base = 10,
    min_columns_to_activate_adaptive_write_buffer = 1,
    min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 10, cleanup_delay_period = 5,
    cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 10;
ALTER TABLE sessions ${on_cluster} MODIFY SETTING
    ratio_of_defaults_for_sparse_serialization = 1, merge_selector_base = 10,
    min_columns_to_activate_adaptive_write_buffer = 1,
    min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 10, cleanup_delay_period = 5,
    cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 10;
ALTER TABLE session_traces ${on_cluster} MODIFY SETTING
    ratio_of_defaults_for_sparse_serialization = 1, merge_selector_base = 10,
    min_columns_to_activate_adaptive_write_buffer = 1,
    min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 10, cleanup_delay_period = 5,
    cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 10;
ALTER TABLE span_agents ${on_cluster} MODIFY SETTING
    ratio_of_defaults_for_sparse_serialization = 1, merge_selector_base = 10,
    min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 10, cleanup_delay_period = 5,
    cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 10;
ALTER TABLE span_sessions ${on_cluster} MODIFY SETTING
    ratio_of_defaults_for_sparse_serialization = 1,
    min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 10, cleanup_delay_period = 5,
    cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 10;
ALTER TABLE repeats ${on_cluster} MODIFY SETTING
    ratio_of_defaults_for_sparse_serialization = 1,
    min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 10, cleanup_delay_period = 5,
    cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 10;
ALTER TABLE resources ${on_cluster} MODIFY SETTING
    min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 10, cleanup_delay_period = 5,
    cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 10;
ALTER TABLE edits ${on_cluster} MODIFY SETTING
    min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 10, cleanup_delay_period = 5,
    cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 10;

-- Whether a trace is known, asked for every new one: without reading the rows of all others.
ALTER TABLE session_traces ${on_cluster}
    ADD INDEX IF NOT EXISTS known_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS known_session session_id TYPE bloom_filter(0.001) GRANULARITY 1;

-- When a session was deleted: what was recorded before and arrives later (an import) brings it back, what goes on
-- being recorded does not.
ALTER TABLE edits ${on_cluster} ADD COLUMN IF NOT EXISTS gone_at UInt64;
