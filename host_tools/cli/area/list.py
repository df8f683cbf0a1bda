"""`star57 area list`: the areas."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption, work_on
from host_tools.cli.line.terms import amount_in_words, offered_in_words
from host_tools.service.lines import Areas


def list_areas(database: DatabaseOption = DATABASE, json: JsonOption = False) -> None:
    """List the areas, by their prefixes."""
    table = Table("prefix", "name", "offered", "price", "cap of a month", box=None)
    areas = work_on(database, lambda connection: Areas(connection).all(), command="area")
    for area in areas:
        table.add_row(
            area.prefix,
            Text(area.name),
            offered_in_words(area.is_offered),
            amount_in_words(area.price_cents),
            amount_in_words(area.monthly_cap_cents),
        )
    answer(areas, table, as_json=json)
