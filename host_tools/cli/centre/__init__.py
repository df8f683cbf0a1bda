"""`star57 centre`: the keys of the trace centre; one verb, one file."""
