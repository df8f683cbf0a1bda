"""The centre's desk, as operators and liaisons see it: the queue, a line's traces, a case through to its release."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.engine import Connection

from host_tools.service.access import Role
from host_tools.service.bundle_verify import verify
from host_tools.service.cases import Cases, CloseReason
from host_tools.service.console.desk import CASES_A_PAGE
from host_tools.service.key_files import KeyFolder, KeyKind
from host_tools.service.sealing import Seal
from host_tools.service.settings import Settings
from host_tools.service.tables import CASES, INSTRUMENTS, RELEASES
from tests.host.service.console.conftest import Browser, Console, new_settings
from tests.host.service.test_key_files import CHEAP, WORDS
from tests.host.service.traced import LINE, add_trace

# As people type it; the clock of the console stands at 2026-01-01 13:00 UTC.
SUBPOENA = {
    "kind": "subpoena",
    "agency": "Springfield <script>alert(1)</script> Police",
    "officer": "Sgt. O'Hara",
    "case_number": "26-1234",
    "reference": "Docket 9",
    "issued_on": "2026-01-01",
}
CASE = "/desk/cases/C-00000001"
NO_CASE = "C-00000099"


@dataclass
class Keys:
    """The centre's keys, in the folder that the console has."""

    folder: Path
    seal: Seal
    signing_key: bytes


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    folder = KeyFolder(tmp_path / "keys", CHEAP)
    seal = Seal(folder.new_key(KeyKind.OPENING, WORDS, 0))
    return Keys(tmp_path / "keys", seal, bytes.fromhex(folder.new_key(KeyKind.SIGNING, WORDS, 0)))


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: Keys) -> Settings:
    return new_settings(database_url, tmp_path, monkeypatch, centre_key_folder=keys.folder)


@pytest.fixture
async def case(console: Console, keys: Keys) -> str:
    """A case of three traces."""

    def work(connection: Connection) -> str:
        ids = [add_trace(connection, number, seal=keys.seal) for number in (1, 2, 3)]
        return Cases(connection).open_for_three(LINE, ids, int(console.clock.now)).case_id

    return await console.write(work)


async def rows(console: Console, table: Any) -> list[Any]:
    """Every row of a table."""
    return await console.read(lambda connection: list(connection.execute(select(table)).mappings()))


def text(response: httpx.Response) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]*>", " ", response.text).split())


async def entered(browser: Browser, path: str = CASE, **other: str) -> httpx.Response:
    """Enters the subpoena."""
    return await browser.post(f"{path}/instrument", **{**SUBPOENA, **other})


async def test_a_case_through_to_its_release(console: Console, keys: Keys, case: str) -> None:
    liaison = await console.sign_in(Role.LIAISON, name="lee")
    queue = await liaison.get("/desk")
    assert (queue.status_code, case in queue.text) == (200, True)
    assert "ready to be acted on" in text(queue)

    before = await liaison.get(CASE)
    assert "Without one nothing is released" in text(before)
    assert "passphrase" not in before.text.lower()

    done = await entered(liaison)
    assert (done.status_code, done.headers["location"]) == (303, CASE)
    page = await liaison.get(CASE)
    assert "instrument entered" in text(page)
    assert "Springfield &lt;script&gt;alert(1)&lt;/script&gt; Police" in page.text
    assert "<script>alert" not in page.text

    bundle = await liaison.post(f"{CASE}/release", instrument_id="1", passphrase=WORDS)
    assert (bundle.status_code, bundle.headers["content-type"]) == (200, "application/zip")
    assert bundle.headers["content-disposition"] == 'attachment; filename="C-00000001.zip"'
    assert bundle.headers["cache-control"] == "no-store"
    manifest = verify(bundle.content, keys.signing_key)
    assert (manifest["released_by"], len(manifest["records"])) == ("lee", 3)

    page = await liaison.get(CASE)
    assert "records released" in text(page)
    (released,) = await rows(console, RELEASES)
    assert released["bundle_sha256"] in page.text

    done = await liaison.post(f"{CASE}/close", reason="released")
    assert done.status_code == 303
    page = await liaison.get(CASE)
    assert "closed, since" in text(page)
    assert '<h2 id="close">' not in page.text
    assert "No case is open" in text(await liaison.get("/desk"))
    actions = [row.action for row in await console.audit()]
    assert [action for action in actions if not action.endswith(".read")][-6:] == [
        "instrument.entered",
        "record.opened",
        "record.opened",
        "record.opened",
        "release.done",
        "case.closed",
    ]


async def test_who_called_is_on_no_page_of_the_desk(console: Console, case: str) -> None:
    liaison = await console.sign_in(Role.LIAISON)
    await entered(liaison)
    for path in (
        "/desk",
        CASE,
        f"/desk/lines?line={LINE}",
        "/api/cases",
        f"/api/cases/{case}",
        f"/api/traces?line={LINE}",
    ):
        said = (await liaison.get(path)).text
        for clear in ("5555550123", "5555550199", "1 Main Street", "Zo", "ab" * 32):
            assert clear not in said, path


async def test_an_operator_sees_no_form_of_an_instrument_or_a_release(console: Console, case: str) -> None:
    await entered(await console.sign_in(Role.LIAISON))
    operator = await console.sign_in(Role.OPERATOR)
    page = await operator.get(CASE)
    assert page.status_code == 200
    assert "Docket 9" in page.text
    assert "/instrument" not in page.text
    assert "/release" not in page.text
    for path in ("instrument", "release"):
        assert (await operator.post(f"{CASE}/{path}", **SUBPOENA)).status_code == 403
        assert (await operator.post(f"{CASE}/{path}")).status_code == 403
    assert len(await rows(console, INSTRUMENTS)) == 1
    assert await rows(console, RELEASES) == []


async def test_the_queue_begins_with_danger_and_goes_on_over_pages(console: Console) -> None:
    def work(connection: Connection) -> None:
        cases = Cases(connection)
        for number in range(1, CASES_A_PAGE + 3):
            cases.open_for_three(LINE, [add_trace(connection, number)], number)
        cases.open_for_danger(LINE, ["T-00000052"], opened_by="home", at=100)

    await console.write(work)
    operator = await console.sign_in(Role.OPERATOR)
    first = await operator.get("/desk")
    assert "52 open" in text(first)
    found = re.findall(r'href="/desk/cases/(C-\d+)"', first.text)
    assert found == ["C-00000052", *(f"C-{number:08}" for number in range(1, 50))]
    assert text(first).index("immediate danger") < text(first).index("traces of one caller")
    second = await operator.get(f"/desk?skip={CASES_A_PAGE}")
    assert re.findall(r'href="/desk/cases/(C-\d+)"', second.text) == ["C-00000050", "C-00000051"]
    assert 'href="/desk?skip=50"' in first.text
    assert 'href="/desk?skip=0"' in second.text
    assert (await operator.get("/desk?skip=1000")).status_code == 200


async def test_a_line_and_a_case_for_immediate_danger(console: Console) -> None:
    await console.write(lambda connection: [add_trace(connection, number) for number in (1, 2, 3)])
    operator = await console.sign_in(Role.OPERATOR, name="olga")
    page = await operator.get(f"/desk/lines?line={LINE}")
    assert page.status_code == 200
    assert "T-00000003" in page.text
    done = await operator.post("/desk/cases", line=LINE, trace_ids=["T-00000001", "T-00000003"])
    assert (done.status_code, done.headers["location"]) == (303, CASE)
    opened = await operator.get(CASE)
    assert "immediate danger" in text(opened)
    assert "by olga" in text(opened)
    assert "T-00000002" not in opened.text
    done = await operator.post("/desk/cases", line=LINE)
    assert done.headers["location"] == CASE, "its last trace is in the case"
    assert len(await rows(console, CASES)) == 1
    assert len(await console.audit("case.danger")) == 1


async def test_whatever_is_looked_at_is_in_the_audit_log(console: Console, case: str) -> None:
    operator = await console.sign_in(Role.OPERATOR, name="olga")
    for path in ("/desk", f"/desk/lines?line={LINE}", CASE):
        assert (await operator.get(path)).status_code == 200
        assert (
            await operator.get(path.replace("/desk", "/api").replace("/api/lines", "/api/traces"))
        ).status_code in (200, 404)
    read = [
        (row.actor, row.action, row.subject) for row in await console.audit() if row.action.endswith(".read")
    ]
    assert read == [
        ("olga", "queue.read", ""),
        ("olga", "line.read", LINE),
        ("olga", "line.read", LINE),
        ("olga", "case.read", case),
        ("olga", "case.read", case),
    ]


WRONG_LINES = ["x", "5555550100 ", "1" * 16, "'; DROP TABLE cases; --", "<b>", "\uff15\uff15", "-1", "5\x005"]


async def test_what_is_no_line_is_said_at_the_field(console: Console) -> None:
    operator = await console.sign_in(Role.OPERATOR)
    for line in WRONG_LINES:
        looked = await operator.get("/desk/lines", params={"line": line})
        opened = await operator.post("/desk/cases", line=line)
        for page in (looked, opened):
            assert page.status_code == 422, line
            assert "1 to 15 digits" in text(page) or "nobody can type" in text(page)
            assert "<b>" not in page.text
    assert await rows(console, CASES) == []


WRONG_CASES: list[tuple[dict[str, Any], str]] = [
    ({"line": "5555550199"}, "No call to this line was traced yet"),
    ({"line": LINE, "trace_ids": ["T-00000009"]}, "no successful trace of this line"),
    ({"line": LINE, "trace_ids": ["T-1"]}, "This must be at most 50 traces of the list."),
    ({"line": LINE, "trace_ids": ["T-00000001"] * 51}, "at most 50"),
    ({"line": [LINE, LINE]}, "given twice"),
    ({"line": LINE, "opened_by": "somebody"}, "There is no such field here"),
    ({}, "Fill this in."),
]


async def test_a_wrong_case_is_not_opened(console: Console, case: str) -> None:
    operator = await console.sign_in(Role.OPERATOR)
    before = await rows(console, CASES)
    for fields, said in WRONG_CASES:
        page = await operator.post("/desk/cases", **fields)
        assert page.status_code == 422, said
        assert said in text(page)
    assert await rows(console, CASES) == before


WRONG_VALUES = ["", "x" * 200, "\x00", "a\u202eb", "{{ 7 * 7 }}\r\nSet-Cookie: a=b"]


async def test_a_wrong_instrument_comes_back_with_its_values(console: Console, case: str) -> None:
    liaison = await console.sign_in(Role.LIAISON)
    for name, value in itertools.product(SUBPOENA, WRONG_VALUES):
        page = await entered(liaison, **{name: value})
        assert page.status_code == 422, (name, value)
        assert 'class="error"' in page.text or 'role="alert"' in page.text
        kept = next(each for each in ("26-1234", "Docket 9") if SUBPOENA[name] != each)
        assert f'value="{kept}"' in page.text
        assert " 49 " not in text(page)
        assert "set-cookie" not in page.headers
    assert await rows(console, INSTRUMENTS) == []


async def test_an_instrument_of_tomorrow(console: Console, case: str) -> None:
    liaison = await console.sign_in(Role.LIAISON)
    page = await entered(liaison, issued_on="2026-01-02")
    assert page.status_code == 422
    assert "The instrument is dated 2026-01-02, and today is 2026-01-01." in text(page)
    assert await rows(console, INSTRUMENTS) == []


async def test_in_the_wrong_order(console: Console, case: str) -> None:
    liaison = await console.sign_in(Role.LIAISON)
    steps: list[tuple[str, dict[str, str], str]] = [
        ("release", {"instrument_id": "1", "passphrase": WORDS}, "Enter the legal instrument first"),
        ("close", {"reason": "released"}, "Nothing was released"),
        ("hold", {"is_held": "false"}, "not under legal hold"),
    ]
    for path, fields, said in steps:
        page = await liaison.post(f"{CASE}/{path}", **fields)
        assert (page.status_code, said in text(page)) == (422, True), path
    assert (await liaison.post(f"{CASE}/hold", is_held="true")).status_code == 303
    page = await liaison.post(f"{CASE}/close", reason="withdrawn")
    assert "lift it first" in text(page)
    assert (await liaison.post(f"{CASE}/hold", is_held="false")).status_code == 303
    assert (await liaison.post(f"{CASE}/close", reason="withdrawn")).status_code == 303
    for page in (
        await entered(liaison),
        await liaison.post(f"{CASE}/release", instrument_id="1", passphrase=WORDS),
        await liaison.post(f"{CASE}/close", reason="mistake"),
    ):
        assert page.status_code == 422
        assert "The case is closed: it is not changed any more." in text(page)
    assert await rows(console, INSTRUMENTS) == []
    assert (await rows(console, CASES))[0]["state"] == "closed"
    refused = await console.audit("release.refused")
    assert [(row.subject, row.details) for row in refused] == [
        (case, '{"reason":"no_instrument"}'),
        (case, '{"reason":"case_closed"}'),
    ]


WRONG_RELEASES: list[tuple[dict[str, str], str]] = [
    ({"instrument_id": "1", "passphrase": "wrong horse battery staple"}, "The passphrase does not open"),
    ({"instrument_id": "1"}, "Fill this in."),
    ({"instrument_id": "2", "passphrase": WORDS}, "not entered for this case"),
    ({"instrument_id": "1; DROP", "passphrase": WORDS}, "This must be the number of an instrument."),
    ({"instrument_id": "1", "passphrase": "x" * 1025}, "at most 1024 characters"),
    ({"instrument_id": str(2**63), "passphrase": WORDS}, "This must be the number of an instrument."),
]


async def test_a_refused_release_says_why_and_nothing_is_handed_over(console: Console, case: str) -> None:
    liaison = await console.sign_in(Role.LIAISON)
    await entered(liaison)
    for fields, said in WRONG_RELEASES:
        page = await liaison.post(f"{CASE}/release", **fields)
        assert (page.status_code, page.headers["content-type"]) == (422, "text/html; charset=utf-8")
        assert said in text(page)
        assert fields.get("passphrase", WORDS) not in page.text
    assert await rows(console, RELEASES) == []


async def test_a_case_that_is_not_there(console: Console) -> None:
    liaison = await console.sign_in(Role.LIAISON)
    for case_id in (NO_CASE, "C-1", "1", "C-00000001'--", "C-0000000\uff11", "..%2f..%2fetc"):
        for response in (
            await liaison.get(f"/desk/cases/{case_id}"),
            await entered(liaison, f"/desk/cases/{case_id}"),
            await liaison.post(f"/desk/cases/{case_id}/release", instrument_id="1", passphrase=WORDS),
            await liaison.post(f"/desk/cases/{case_id}/hold", is_held="true"),
            await liaison.post(f"/desk/cases/{case_id}/close", reason="mistake"),
            await liaison.get(f"/api/cases/{case_id}"),
        ):
            assert response.status_code in ({404} if case_id == NO_CASE else {404, 422}), case_id


async def test_the_same_by_programs(console: Console, keys: Keys, case: str) -> None:
    liaison = await console.sign_in(Role.LIAISON, name="lee")
    headers = {"x-csrf-token": liaison.token()}

    async def post(path: str, **fields: Any) -> httpx.Response:
        return await liaison.client.post(f"/api{path}", json=fields, headers=headers)

    queue = (await liaison.get("/api/cases")).json()
    assert (queue["count"], queue["cases"][0]["case_id"]) == (1, case)
    traces = (await liaison.get(f"/api/traces?line={LINE}")).json()
    assert [trace["trace_id"] for trace in traces["traces"]] == ["T-00000003", "T-00000002", "T-00000001"]
    early = await post(f"/cases/{case}/release", instrument_id=1, passphrase=WORDS)
    assert (early.status_code, early.headers["content-type"]) == (409, "application/problem+json")
    assert early.json()["detail"] == "Enter the legal instrument first: without one nothing is released."
    late = await post(f"/cases/{case}/instruments", **{**SUBPOENA, "issued_on": "2026-01-02"})
    assert (late.status_code, late.json()["fields"][0]["field"]) == (409, "issued_on")
    done = await post(f"/cases/{case}/instruments", **SUBPOENA)
    assert (done.status_code, done.json()["instrument"]["issued_on"]) == (201, "2026-01-01")
    bundle = await post(f"/cases/{case}/release", instrument_id=1, passphrase=WORDS)
    assert verify(bundle.content, keys.signing_key)["case_id"] == case
    assert (await post(f"/cases/{case}/hold", is_held=True)).json()["has_legal_hold"] is True
    held = await post(f"/cases/{case}/close", reason="released")
    assert (held.status_code, held.json()["detail"]) == (409, "The case is under legal hold: lift it first.")
    await post(f"/cases/{case}/hold", is_held=False)
    assert (await post(f"/cases/{case}/close", reason="released")).json()["state"] == "closed"
    file = (await liaison.get(f"/api/cases/{case}")).json()
    assert (len(file["traces"]), len(file["instruments"]), len(file["releases"])) == (3, 1, 1)
    danger = await post("/cases", line=LINE, trace_ids=["T-00000002"])
    assert (danger.status_code, danger.json()["opened_for"]) == (201, "immediate_danger")
    assert (await post("/cases", line="5555550199")).status_code == 409
    for path in ("instruments", "release", "hold", "close"):
        assert (await post(f"/cases/{NO_CASE}/{path}", wrong=1)).status_code == 422
    assert (await post(f"/cases/{NO_CASE}/close", reason="mistake")).status_code == 404
    gone = await post(f"/cases/{NO_CASE}/release", instrument_id=1, passphrase=WORDS)
    assert gone.status_code == 404


async def test_reasons_to_close_fit_the_case(console: Console, case: str) -> None:
    operator = await console.sign_in(Role.OPERATOR)
    options = re.findall(r'<option value="(\w+)"', (await operator.get(CASE)).text)
    assert options == ["withdrawn", "no_instrument", "mistake"]
    await console.write(
        lambda connection: Cases(connection).close(case, CloseReason.WITHDRAWN, by="olga", at=1)
    )
    assert "<option" not in (await operator.get(CASE)).text
