"""The web console: pages for people, and the same over an API. `add_to(app)` puts it onto the service."""

from host_tools.service.console.application import add_to

__all__ = ["add_to"]
