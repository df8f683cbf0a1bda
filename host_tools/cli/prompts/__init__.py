"""`star57 prompts`: what the household hears; one verb, one file."""
