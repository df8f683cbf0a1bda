"""The feature: the conversation behind the trace code, the request bound to one call, and the outbox."""
