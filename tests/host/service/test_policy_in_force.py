"""What holds on a line, out of three levels, on SQLite and on PostgreSQL."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from host_tools.service.lines import AreaPolicy, Areas, LinePolicy, Lines
from host_tools.service.policy_in_force import policy_in_force
from host_tools.service.rules import Policy
from host_tools.service.sealing import new_key_pair
from host_tools.service.settings import Settings
from host_tools.service.store import run_once
from tests.host.service.conftest import LINE

SETTINGS = Settings(
    centre_public_key=new_key_pair()[1],
    price_cents=500,
    monthly_cap_cents=3000,
    lines_offered=frozenset({"5555550199"}),
)


def test_a_line_then_its_longest_area_then_the_operator(database_url: str) -> None:
    def work(connection: Connection) -> None:
        assert policy_in_force(connection, "5555550199", SETTINGS) == Policy(True, 500, 3000)
        assert policy_in_force(connection, LINE, SETTINGS) == Policy(False, 500, 3000)
        Areas(connection).put(AreaPolicy(prefix="555", name="County", is_offered=False, price_cents=100))
        Areas(connection).put(AreaPolicy(prefix="5555", name="Town", is_offered=True, monthly_cap_cents=2000))
        assert policy_in_force(connection, LINE, SETTINGS) == Policy(True, 500, 2000)
        assert policy_in_force(connection, "5551230100", SETTINGS) == Policy(False, 100, 3000)
        Lines(connection).put(LinePolicy(line=LINE, is_offered=False, price_cents=0))
        assert policy_in_force(connection, LINE, SETTINGS) == Policy(False, 0, 2000)

    run_once(database_url, work)
