-- What merges of spans cost. Nothing here changes what a row means.

-- Statistics of every column, large texts included, are an eighth of a merge, and no question of ours asks for them.
-- A small part pays for every column that is a file of its own: up to some thirty thousand spans stand in one.
ALTER TABLE spans ${on_cluster} MODIFY SETTING
    auto_statistics_types = '', min_bytes_for_wide_part = 67108864;
ALTER TABLE logs ${on_cluster} MODIFY SETTING
    auto_statistics_types = '';
