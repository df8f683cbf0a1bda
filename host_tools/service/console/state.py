"""What the console's routes take from the application, with their types."""

from __future__ import annotations

from fastapi import Request

from host_tools.service.people import People
from host_tools.service.sign_in import SignIn
from host_tools.service.store import Store


def store_of(request: Request) -> Store:
    """The store."""
    store: Store = request.app.state.store
    return store


def now_of(request: Request) -> float:
    """Unix seconds, by the service's only clock."""
    return float(request.app.state.clock())


def people_of(request: Request) -> People:
    """Secret, passwords, limits and settings of people."""
    people: People = request.app.state.people
    return people


def sign_in_of(request: Request) -> SignIn:
    """Signs in, now."""
    return SignIn(store_of(request), people_of(request), now_of(request))


def address_of(request: Request) -> str:
    """From where the request comes; "" when nobody knows."""
    return request.client.host if request.client else ""
