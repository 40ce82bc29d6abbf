-- A session says whether its calls, and its prompts, may repeat one another at all (store/likeness.py); one stored
-- before this does not say that they differ, and is compared as it was.
ALTER TABLE sessions ${on_cluster}
    ADD COLUMN IF NOT EXISTS calls_differ Bool,
    ADD COLUMN IF NOT EXISTS prompts_differ Bool;
