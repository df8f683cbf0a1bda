"""What the service needs for people, once for all requests: `app.state.people`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from host_tools.service.passwords import Passwords
from host_tools.service.people_settings import PeopleSettings
from host_tools.service.rate_limit import RateLimit
from host_tools.service.secret import Secret
from host_tools.service.sessions import Lifetime


@dataclass(frozen=True)
class People:
    """Secret, passwords and limits.

    Attributes:
        by_address: sign-ins of one address.
        by_name: sign-ins with one name.
        by_code: codes of one account; a name that somebody types is never one of these.
        by_person: requests of somebody who is signed in.
    """

    settings: PeopleSettings
    secret: Secret
    passwords: Passwords
    by_address: RateLimit
    by_name: RateLimit
    by_code: RateLimit
    by_person: RateLimit

    @classmethod
    def of(cls, settings: PeopleSettings, passwords: Passwords | None = None) -> Self:
        """As the operator chose."""
        return cls(
            settings,
            Secret(settings.secret),
            passwords or Passwords(),
            RateLimit(settings.sign_ins_per_address_min),
            RateLimit(settings.sign_ins_per_name_min),
            RateLimit(settings.sign_ins_per_name_min),
            RateLimit(settings.requests_per_person_min),
        )

    @property
    def lifetime(self) -> Lifetime:
        """How long a session lasts."""
        return Lifetime(self.settings.session_idle_min * 60, self.settings.session_hours * 3600)
