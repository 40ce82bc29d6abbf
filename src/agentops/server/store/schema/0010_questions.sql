-- What makes questions over a large store quick: measures of events beside their trace, and words of texts.

-- Arrays of one length, one element an event of the session in this trace (measures.py). `measured` is false for
-- rows of before this migration and for very large traces: their events are read from spans.
ALTER TABLE session_traces ${on_cluster}
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

-- Words of what spans say, for `q` (query/text.py). Built by merges, not by inserts (client.py).
ALTER TABLE spans ${on_cluster}
    ADD INDEX IF NOT EXISTS name_words name
        TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(name), posting_list_codec = 'bitpacking'),
    ADD INDEX IF NOT EXISTS source_words source_name
        TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(source_name), posting_list_codec = 'bitpacking'),
    ADD INDEX IF NOT EXISTS input_words input
        TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(input), posting_list_codec = 'bitpacking'),
    ADD INDEX IF NOT EXISTS output_words output
        TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(output), posting_list_codec = 'bitpacking'),
    ADD INDEX IF NOT EXISTS error_words error_message
        TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(error_message), posting_list_codec = 'bitpacking'),
    ADD INDEX IF NOT EXISTS status_words status_message
        TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(status_message), posting_list_codec = 'bitpacking');

-- Beyond ASCII words have no blanks between them: runs of such letters are indexed by their groups of one, two and
-- three letters.
ALTER TABLE spans ${on_cluster}
    ADD INDEX IF NOT EXISTS input_letters arrayConcat(
        ngrams(replaceRegexpAll(lowerUTF8(input), '[\\x00-\\x7F]+', ' '), 1),
        ngrams(replaceRegexpAll(lowerUTF8(input), '[\\x00-\\x7F]+', ' '), 2),
        ngrams(replaceRegexpAll(lowerUTF8(input), '[\\x00-\\x7F]+', ' '), 3))
        TYPE text(tokenizer = 'array', posting_list_codec = 'bitpacking'),
    ADD INDEX IF NOT EXISTS output_letters arrayConcat(
        ngrams(replaceRegexpAll(lowerUTF8(output), '[\\x00-\\x7F]+', ' '), 1),
        ngrams(replaceRegexpAll(lowerUTF8(output), '[\\x00-\\x7F]+', ' '), 2),
        ngrams(replaceRegexpAll(lowerUTF8(output), '[\\x00-\\x7F]+', ' '), 3))
        TYPE text(tokenizer = 'array', posting_list_codec = 'bitpacking');
