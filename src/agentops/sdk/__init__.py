"""The recorder: what `import agentops` does in the user's program.

    functions, decorators, events, traces, compat   what users call
    session, patch, stream                          the Session they hold
    client                                          wires everything; one a process
    context, registry                               which session a call belongs to
    lifecycle, guard                                how sessions begin and end
    wrap, calls, signature, capture, redact         recording one call
    spans, provider, recorder, logs                 from OpenTelemetry spans to journal lines

Nothing here raises into the recorded program, the two session exceptions and wrong arguments apart.
"""
