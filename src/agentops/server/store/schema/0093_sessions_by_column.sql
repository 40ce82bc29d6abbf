-- Analytics and lists go through some columns of all sessions. In a wide part a column lies in one piece, which since
-- marks are 256 rows apart costs a page's rows no more than a compact part does. Small parts stay compact: a file each.
ALTER TABLE sessions ${on_cluster} MODIFY SETTING min_bytes_for_wide_part = 8388608;
