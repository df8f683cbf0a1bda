"""The adapter that traces the last call."""
