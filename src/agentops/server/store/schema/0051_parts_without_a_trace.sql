-- A trace stands in few of the parts, and the key alone cannot tell in which: ids are random, so that every part reaches
-- from the first to the last. Built by merges, not by inserts (client.py).
ALTER TABLE spans ${on_cluster}
    ADD INDEX IF NOT EXISTS traces_held trace_id TYPE bloom_filter(0.01) GRANULARITY 1;
