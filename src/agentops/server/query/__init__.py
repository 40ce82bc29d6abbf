"""Questions: one file a question, SQL in the ClickHouse dialect, answers as plain values or bytes of JSON."""
