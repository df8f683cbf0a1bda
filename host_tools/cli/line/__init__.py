"""`star57 line`: what is set of single lines; one verb, one file."""
