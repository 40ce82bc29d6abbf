-- The prices of one's own that servers on this store use, as the file that one of them read: one row, the last one told.
CREATE TABLE IF NOT EXISTS price_lists ${on_cluster}
(
    place UInt8,
    server String,
    name String,
    text String CODEC(ZSTD(1)),
    version UInt64
)
ENGINE = ${replacing}(version)
ORDER BY place
SETTINGS index_granularity = 1024${settings};
