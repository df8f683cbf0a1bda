"""`star57 update`: firmware, from the build to the adapters that run it; one verb, one file."""
