"""What the gateway knows of the messages that it carries (`docs/protocol.md`): their greatest length, and a refusal."""

from __future__ import annotations

MAX_BODY_BYTES = 3000
"""The longest signed message, and so the longest body, of a question or an answer."""

UNAVAILABLE = 503, b'{"message":"refusal","reason":"unavailable","newest_sequence":null}'
"""Status and body of what an adapter is told while the service cannot be reached: it asks again later."""
