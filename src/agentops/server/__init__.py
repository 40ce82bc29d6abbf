"""The server: OTLP in, one store, a query API and the dashboard out. Nothing of the recorder is imported here."""
