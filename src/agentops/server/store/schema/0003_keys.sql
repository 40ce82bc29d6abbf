-- Keys: what the server needs to know of one beside its hash, and what changes without rewriting it.
ALTER TABLE api_keys ${on_cluster} ADD COLUMN IF NOT EXISTS fingerprint String AFTER prefix;

-- 0: never.
ALTER TABLE api_keys ${on_cluster} ADD COLUMN IF NOT EXISTS expires_at UInt64 AFTER created_at;

-- Bytes of telemetry a minute; 0: the server's own setting.
ALTER TABLE api_keys ${on_cluster} ADD COLUMN IF NOT EXISTS quota_bytes UInt64 AFTER expires_at;

-- When a key was last used. Apart, so that noting a use can never undo a revocation by another server.
CREATE TABLE IF NOT EXISTS key_uses ${on_cluster}
(
    key_hash String,
    used_at UInt64
)
ENGINE = ${replacing}(used_at)
ORDER BY key_hash
SETTINGS index_granularity = 1024${settings};

-- The dashboard's sign-ins: a hash of the cookie, the key that opened it, the project that it looks at.
CREATE TABLE IF NOT EXISTS sign_ins ${on_cluster}
(
    cookie_hash String,
    key_hash String,
    project String,
    created_at UInt64,
    expires_at UInt64,
    ended Bool,
    version UInt64
)
ENGINE = ${replacing}(version)
ORDER BY cookie_hash
SETTINGS index_granularity = 1024${settings};

-- Telemetry of a deleted project stays out even when it arrives late.
ALTER TABLE projects ${on_cluster} ADD COLUMN IF NOT EXISTS deleted Bool AFTER retention_days;
