"""What stands at the top of each page: where whoever is signed in may go."""

from __future__ import annotations

from dataclasses import dataclass

from host_tools.service.access import Permission, Person


@dataclass(frozen=True)
class Link:
    """A page, and who may see it."""

    title: str
    path: str
    permission: Permission


LINKS = (
    Link("My line", "/line", Permission.OWN_LINE),
    Link("Calls", "/calls", Permission.OWN_LINE),
    Link("Adapters", "/adapters", Permission.ADAPTERS),
    Link("Desk", "/desk", Permission.DESK),
    Link("Audit log", "/audit", Permission.AUDIT),
    Link("Accounts", "/accounts", Permission.ACCOUNTS),
    Link("Lines", "/lines", Permission.POLICY),
    Link("Areas", "/areas", Permission.POLICY),
    Link("Bills", "/bills", Permission.BILLS),
)


def links_of(person: Person) -> list[Link]:
    """Where they may go; first where they begin."""
    return [link for link in LINKS if person.may(link.permission)]
