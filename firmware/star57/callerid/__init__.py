"""Bytes from the line into a caller: framing, messages, standards."""
