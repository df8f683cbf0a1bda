"""Where a browser is sent next; never to another site."""

from __future__ import annotations

from urllib.parse import urlsplit

HOME = "/"


def next_page(given: str | None) -> str:
    """`given`, when it is a page of the service; otherwise the first page."""
    if not given or not given.startswith("/") or given.startswith("//") or len(given) > 512:
        return HOME
    if any(letter <= " " or letter == "\\" or letter >= "\x7f" for letter in given):
        return HOME
    parts = urlsplit(given)
    return HOME if parts.scheme or parts.netloc else given
