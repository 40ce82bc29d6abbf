"""The HTTP API: routes by noun, one shape for errors, models that make the OpenAPI document complete."""
