"""A released record under the field names of ETSI TS 102 657 (retained data handling), where they fit.

The names are those of the standard's telephony record; what it has no name for, or none that we could confirm, stands
under `star57`. `FIELDS` is the whole list, and docs/release.md shows it. Nothing here claims to be a message of the
standard: a centre that hands over by its ASN.1 or XML interface makes one of these records.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from host_tools.service.released import OpenedRecord

JsonObject = dict[str, Any]
_USAGE = "recordPayload.telephonyRecord.telephonyServiceUsage.partyInformation"


@dataclass(frozen=True)
class Field:
    """One field of a released record.

    Attributes:
        path: where it stands in the record, with dots between; a digit counts in a list.
        meaning: what it says.
    """

    path: str
    meaning: str

    @property
    def is_standard(self) -> bool:
        """Whether the name is the standard's."""
        return not self.path.startswith("star57.")


FIELDS = (
    Field("recordNumber", "number of the record in this release, from 1"),
    Field("star57.trace_id", "the trace's public number, which the household knows"),
    Field(f"{_USAGE}.0.partyRole", "originating-Party: who called"),
    Field(f"{_USAGE}.0.partyNumber", "the calling number that the trace found"),
    Field("star57.subscriber_name", "name of the subscriber of that number, where known"),
    Field("star57.subscriber_address", "address of that subscriber, where known"),
    Field(f"{_USAGE}.1.partyRole", "terminating-Party: who was called"),
    Field(f"{_USAGE}.1.partyNumber", "the called line, which asked for the trace"),
    Field(f"{_USAGE}.1.communicationTime.startTime", "when the call came (GeneralizedTime, UTC)"),
    Field("star57.called_at", "when the call came, as ISO 8601; empty when nobody knows"),
    Field("star57.requested_at", "when the household asked for the trace, by the adapter's clock"),
    Field("star57.received_at", "when the request came, by the service's clock"),
    Field("star57.time_source", "where the adapter's clock came from: network, caller_id, none"),
    Field(
        "star57.presentation", "presented, private, out_of_area, none: what the line presented of the number"
    ),
    Field("star57.presented_number", "the number that the line presented"),
    Field("star57.presented_name", "the name that the line presented"),
    Field("star57.presented_date_time", "the date and time that the line presented, MMDDHHMM"),
    Field("star57.rings", "complete rings"),
    Field("star57.answered", "whether the call was answered"),
    Field("star57.forwarded_from", "the number that was dialled, when the call was forwarded"),
    Field("star57.call_waiting", "whether call waiting announced the call"),
    Field("star57.decoded_standard", "caller ID as the adapter had heard the last one: its standard"),
    Field("star57.decoded_level_dbm0", "the same: its level"),
    Field("star57.decoded_snr_db", "the same: its signal to noise ratio"),
    Field("star57.decoded_twist_db", "the same: the difference of its two tones"),
    Field("star57.adapter_id", "the adapter that asked for the trace"),
    Field("star57.sealed_sha256", "SHA-256 of the sealed record that this was opened from"),
    Field(
        "star57.signed_request", "the adapter's signed request as it came: a JWS (RFC 7515) in compact form"
    ),
)


def record(number: int, opened: OpenedRecord) -> JsonObject:
    """The record as it is released; what is not known is left out where the name is the standard's, else null."""
    who = opened.who_called
    return {
        "recordNumber": number,
        "recordPayload": {
            "telephonyRecord": {
                "telephonyServiceUsage": {
                    "partyInformation": [
                        _party("originating-Party", who.origin, who.called_at),
                        _party("terminating-Party", who.line, who.called_at),
                    ]
                }
            }
        },
        "star57": _ours(opened),
    }


def value(released: JsonObject, field: Field) -> str | int | bool | None:
    """What a released record says in a field; None when it says nothing."""
    found: Any = released
    for name in field.path.split("."):
        if isinstance(found, list):
            found = found[int(name)]
        elif isinstance(found, dict):
            found = found.get(name)
    return None if isinstance(found, dict | list) else found


def generalized_time(at: int) -> str:
    """Unix seconds as GeneralizedTime (ITU-T X.680, 46) in UTC: YYYYMMDDHHMMSSZ."""
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%d%H%M%SZ}"


def iso_time(at: int | None) -> str | None:
    """Unix seconds as ISO 8601 in UTC, YYYY-MM-DDTHH:MM:SSZ; None stays None."""
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _party(role: str, number: str | None, called_at: int | None) -> JsonObject:
    party: JsonObject = {"partyRole": role}
    if number is not None:
        party["partyNumber"] = number
    if called_at is not None:
        party["communicationTime"] = {"startTime": generalized_time(called_at)}
    return party


def _ours(opened: OpenedRecord) -> JsonObject:
    who = opened.who_called
    presented, decoded = who.presented, who.decoded
    return {
        "trace_id": opened.trace_id,
        "subscriber_name": who.name,
        "subscriber_address": who.address,
        "called_at": iso_time(who.called_at),
        "requested_at": iso_time(who.requested_at),
        "received_at": iso_time(who.received_at),
        "time_source": who.time_source,
        "presentation": who.presentation,
        "presented_number": presented.number if presented else None,
        "presented_name": presented.name if presented else None,
        "presented_date_time": presented.date_time if presented else None,
        "rings": who.rings,
        "answered": who.answered,
        "forwarded_from": who.forwarded_from,
        "call_waiting": who.call_waiting,
        "decoded_standard": decoded.standard if decoded else None,
        "decoded_level_dbm0": decoded.level_dbm0 if decoded else None,
        "decoded_snr_db": decoded.snr_db if decoded else None,
        "decoded_twist_db": decoded.twist_db if decoded else None,
        "adapter_id": opened.adapter_id,
        "sealed_sha256": opened.sealed_sha256,
        "signed_request": who.request.decode("ascii", "backslashreplace"),
    }
