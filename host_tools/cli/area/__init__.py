"""`star57 area`: what is set of areas; one verb, one file."""
