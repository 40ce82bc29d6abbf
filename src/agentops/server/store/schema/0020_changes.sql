-- What servers tell each other: sessions whose rows one of them has rewritten. Read from its end while somebody
-- listens, forgotten after minutes. One server alone writes nothing here.
CREATE TABLE IF NOT EXISTS changes ${on_cluster}
(
    at DateTime64(3, 'UTC') DEFAULT now64(3),
    server String,
    number UInt64,
    project String,
    sessions Array(String)
)
ENGINE = ${plain}
ORDER BY at
TTL toDateTime(at) + INTERVAL 10 MINUTE
SETTINGS index_granularity = 1024;
