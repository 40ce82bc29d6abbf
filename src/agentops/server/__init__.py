"""The server: OTLP in, one store, a query API and the dashboard out; nothing of the recorder's."""
