"""`star57 adapter`: the adapters that the trace service knows; one verb, one file."""
