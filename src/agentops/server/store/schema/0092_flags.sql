-- What an export owes other programs: the flags that a span or a log record came with.
ALTER TABLE spans ${on_cluster} ADD COLUMN IF NOT EXISTS flags UInt32 CODEC(LZ4);

ALTER TABLE logs ${on_cluster} ADD COLUMN IF NOT EXISTS flags UInt32 CODEC(LZ4);
