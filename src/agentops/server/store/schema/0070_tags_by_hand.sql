-- Tags that a user gave and took one by one, beside those that the program records: what it records later appears, too.
ALTER TABLE edits ${on_cluster}
    ADD COLUMN IF NOT EXISTS tags_added Array(String),
    ADD COLUMN IF NOT EXISTS tags_removed Array(String);
