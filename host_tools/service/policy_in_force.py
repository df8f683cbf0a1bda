"""What holds on a line at present, with what is set of it, of its area and by the operator."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from host_tools.service.lines import rows_for
from host_tools.service.rules import Policy, policy
from host_tools.service.settings import Settings


def policy_in_force(connection: Connection, line: str, settings: Settings) -> Policy:
    """Whether trace is offered on the line, its price and the month's cap."""
    lines, areas = rows_for(connection, [line])
    operator = Policy(
        is_offered=settings.lines_offered == "*" or line in settings.lines_offered,
        price_cents=settings.price_cents,
        monthly_cap_cents=settings.monthly_cap_cents,
    )
    return policy(lines.get(line), areas, line=line, operator=operator)
