"""`star57 line list`: the lines that have something of their own."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import Connection

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption, work_on
from host_tools.cli.line.terms import DEFAULT, amount_in_words, offered_in_words
from host_tools.service.lines import LinePolicy, Lines


def list_lines(database: DatabaseOption = DATABASE, json: JsonOption = False) -> None:
    """List the lines that have an adapter, offer, price or cap of their own."""
    table = Table("line", "adapter", "offered", "price", "cap of a month", box=None)
    policies = work_on(database, lambda connection: list(_all(connection)), command="line")
    for policy in policies:
        table.add_row(
            policy.line,
            Text(policy.adapter_id or DEFAULT),
            offered_in_words(policy.is_offered),
            amount_in_words(policy.price_cents),
            amount_in_words(policy.monthly_cap_cents),
        )
    answer(policies, table, as_json=json)


def _all(connection: Connection) -> Iterator[LinePolicy]:
    last = ""
    while page := Lines(connection).page(last):
        yield from page
        last = page[-1].line
