"""The recorder: what `import agentops` does in the user's program.

    functions, decorators, events, traces, compat   what users call
    session, patch, stream                          the Session they hold
    client                                          wires everything; one a process
    settings, identity, figures, account            its settings, its name, what the server says, what it lost
    context, registry                               which session a call belongs to
    lifecycle, guard, signals                       how sessions begin and end
    wrap, calls, signature, capture, redact, bounds recording one call
    spans, provider, recorder, logs                 from OpenTelemetry spans to journal lines

Nothing here raises into the recorded program, the two session exceptions and wrong arguments apart.
"""
