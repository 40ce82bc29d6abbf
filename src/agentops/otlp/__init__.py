"""The wire format: `encode` for the recorder, `decode` for the server. The only room that knows protobuf."""
