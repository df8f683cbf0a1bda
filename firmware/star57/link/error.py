"""The one error of both carriers."""


class LinkError(Exception):
    """Nothing usable came back; `reason` tells why.

    "refused" nobody takes the connection; "timeout"; "closed" before the answer was whole; "garbage"; "too_large";
    "untrusted" not whom the pinned certificate stands for; "no_name" the host's name has no address that can be
    found; "unconnected" the board has no network at present.
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason
