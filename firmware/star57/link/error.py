"""The one error of both carriers."""


class LinkError(Exception):
    """Nothing usable came back; `reason` is "refused", "timeout", "closed", "garbage" or "too_large"."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason
