"""Released records under the names of ETSI TS 102 657: the one table of fields, and the records that keep to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host_tools.service.etsi import FIELDS, generalized_time, iso_time, record, value
from host_tools.service.released import OpenedRecord
from tests.host.service.test_sealing import WHO

OPENED = OpenedRecord("T-00000001", "adapter-1", "ab" * 32, WHO)
# TS 102 657, annex B: the retained data of telephony, and what stands around a record.
STANDARD_NAMES = {
    "recordNumber",
    "recordPayload",
    "telephonyRecord",
    "telephonyServiceUsage",
    "partyInformation",
    "partyRole",
    "partyNumber",
    "communicationTime",
    "startTime",
}
RELEASE_PAGE = Path(__file__).resolve().parents[3] / "docs" / "release.md"


def leaves(said: Any, path: str = "") -> Iterator[str]:
    """The path of everything in a record that is neither a list nor an object."""
    if isinstance(said, dict | list):
        for name, below in said.items() if isinstance(said, dict) else enumerate(said):
            yield from leaves(below, f"{path}.{name}".strip("."))
    else:
        yield path


def test_the_parties_of_a_call_stand_under_the_standards_names() -> None:
    caller, called = record(1, OPENED)["recordPayload"]["telephonyRecord"]["telephonyServiceUsage"][
        "partyInformation"
    ]
    at = {"startTime": "20260101120000Z"}
    assert caller == {
        "partyRole": "originating-Party",
        "partyNumber": "5555550123",
        "communicationTime": at,
    }
    assert called == {
        "partyRole": "terminating-Party",
        "partyNumber": "5555550100",
        "communicationTime": at,
    }


def test_the_table_names_every_field_of_a_record_and_no_other() -> None:
    # The caller's communicationTime repeats that of the called line.
    repeated = (
        "recordPayload.telephonyRecord.telephonyServiceUsage.partyInformation.0.communicationTime.startTime"
    )
    assert set(leaves(record(1, OPENED))) - {repeated} == {field.path for field in FIELDS}


def test_what_is_not_ours_is_a_name_of_the_standard() -> None:
    names = {
        name for field in FIELDS if field.is_standard for name in field.path.split(".") if not name.isdigit()
    }
    assert names == STANDARD_NAMES


def test_every_field_of_what_was_sealed_is_released() -> None:
    said = {value(record(1, OPENED), field) for field in FIELDS}
    assert said >= {
        "T-00000001",
        "5555550100",
        "5555550123",
        "Zoë O'Hara",
        "1 Main Street",
        "ZOË\x00",
        "private",
        "network",
        "2026-01-01T12:00:00Z",
        "2026-01-01T12:01:00Z",
        "2026-01-01T12:01:01Z",
        2,
        True,
        False,
        "5555550199",
        "bell_202",
        -13,
        30,
        "header.payload.signature",
        "ab" * 32,
        "adapter-1",
    }


def test_what_is_not_known_is_said_to_be_so() -> None:
    unknown = dict.fromkeys(
        ["origin", "name", "address", "presented", "called_at", "forwarded_from", "decoded"]
    )
    released = record(7, OpenedRecord("T-00000001", "adapter-1", "", WHO.model_copy(update=unknown)))
    caller = released["recordPayload"]["telephonyRecord"]["telephonyServiceUsage"]["partyInformation"][0]
    assert caller == {"partyRole": "originating-Party"}
    said = {field.path: value(released, field) for field in FIELDS}
    assert said["recordNumber"] == 7
    assert said["star57.called_at"] is None
    assert said["star57.decoded_standard"] is None
    assert [name for name in said if name.endswith("partyNumber") and said[name] is None] != []


def test_a_request_that_is_no_text_is_shown_byte_for_byte() -> None:
    opened = OpenedRecord("T-00000001", "a", "", WHO.model_copy(update={"request": b"\xff.a"}))
    assert record(1, opened)["star57"]["signed_request"] == "\\xff.a"


def test_times() -> None:
    assert generalized_time(0) == "19700101000000Z"
    assert iso_time(0) == "1970-01-01T00:00:00Z"
    assert iso_time(None) is None


def test_the_page_has_the_whole_table() -> None:
    page = RELEASE_PAGE.read_text()
    for field in FIELDS:
        assert f"| `{field.path.removeprefix('star57.')}` | {field.meaning} |" in page
