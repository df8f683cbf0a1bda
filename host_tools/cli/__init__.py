"""The `star57` command: one verb, one file."""
