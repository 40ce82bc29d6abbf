-- A page of a list reads some fifty columns of fifty rows here and there. In a compact part the columns of a row stand
-- side by side, which halves what that costs; in very large parts, where lists sort all rows by one column, they do not.
ALTER TABLE sessions ${on_cluster} MODIFY SETTING min_bytes_for_wide_part = 134217728;
