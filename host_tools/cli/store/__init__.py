"""`star57 store`: the service's store as a whole; one verb, one file."""
