"""What is released of a case: a signed bundle, a zip that anybody can verify without our software.

The same release, signed with the same key, makes the same bytes.

    records.json    the records, under the names of `etsi.py`
    records.csv     the same as a table; a cell that could be a formula begins with an apostrophe
    cover.pdf       what it is, for whom, and what it proves and what not; never who called
    VERIFY.txt      how to verify it
    manifest.json   the SHA-256 of each of these, the case, the instrument, the sealed records
    manifest.sig    the Ed25519 signature (RFC 8032) of manifest.json, 64 bytes
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from hashlib import sha256
from textwrap import fill
from typing import Any
from zoneinfo import ZoneInfo

from nacl.signing import SigningKey

from host_tools.service.bundle_cover import cover_pdf
from host_tools.service.bundle_verify import FORMAT, MANIFEST, SIGNATURE, public_key_pem
from host_tools.service.csv_table import csv_table
from host_tools.service.etsi import FIELDS, JsonObject, generalized_time, iso_time, record, value
from host_tools.service.released import OpenedRecord, ReleaseFacts
from host_tools.service.sealing import fingerprint

CAUTION = (
    "A caller ID can be spoofed, and somebody other than its subscriber can call from a telephone. The calling number "
    "is what the exchange has recorded of the call, or, where it records none, what the line presented. By itself it "
    "does not prove who called."
)
_HELD = "records.json", "records.csv", "cover.pdf", "VERIFY.txt"
# Of every file in the zip: the release's own time is in the manifest, which is signed.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def build(
    facts: ReleaseFacts, records: Sequence[OpenedRecord], signing_key: SigningKey, zone: ZoneInfo
) -> bytes:
    """The bundle as a zip.

    Args:
        facts: what it says of itself.
        records: the opened records, in the order of the release.
        signing_key: the centre's.
        zone: whose clocks the cover shows beside UTC.
    """
    public_key = bytes(signing_key.verify_key)
    released = [record(number, opened) for number, opened in enumerate(records, 1)]
    header = [field.path for field in FIELDS]
    rows = [[_cell(value(one, field)) for field in FIELDS] for one in released]
    contents = (
        _json(_document(facts, released)),
        csv_table(header, rows),
        cover_pdf(facts, records, fingerprint(public_key), CAUTION, zone),
        _note(public_key).encode(),
    )
    files = dict(zip(_HELD, contents, strict=True))
    manifest = _json(_manifest(facts, records, files, public_key))
    return _zip({**files, MANIFEST: manifest, SIGNATURE: signing_key.sign(manifest).signature})


def _document(facts: ReleaseFacts, released: list[JsonObject]) -> JsonObject:
    return {
        "retainedDataHeader": {
            "requestID": {
                "authorisedOrganisationID": facts.instrument.agency,
                "requestNumber": facts.instrument.reference,
            },
            "timeStamp": generalized_time(facts.released_at),
        },
        "star57": {
            "names": "as in ETSI TS 102 657 where they fit; all others stand under star57",
            "caution": CAUTION,
            "case_id": facts.case_id,
            "called_line": facts.line,
            "instrument": facts.instrument.model_dump(mode="json"),
            "released_at": iso_time(facts.released_at),
            "released_by": facts.released_by,
            "not_kept": list(facts.not_kept),
        },
        "records": released,
    }


def _manifest(
    facts: ReleaseFacts, records: Sequence[OpenedRecord], files: dict[str, bytes], public_key: bytes
) -> JsonObject:
    return {
        "format": FORMAT,
        "case_id": facts.case_id,
        "called_line": facts.line,
        "instrument": facts.instrument.model_dump(mode="json"),
        "released_at": iso_time(facts.released_at),
        "released_by": facts.released_by,
        "signed_by": fingerprint(public_key),
        "files": {name: sha256(content).hexdigest() for name, content in files.items()},
        "records": [
            {"trace_id": opened.trace_id, "sealed_sha256": opened.sealed_sha256} for opened in records
        ],
        "not_kept": list(facts.not_kept),
    }


def _note(public_key: bytes) -> str:
    return f"""HOW TO VERIFY THIS BUNDLE

What verifies it is the trace centre's public signing key. Have it from the centre on another way than this bundle, as
centre.pem. The key that has signed this bundle is called {fingerprint(public_key)}, and reads

{public_key_pem(public_key)}
With the software of Star57:

    star57 bundle verify BUNDLE.zip --key centre.pem

Without it, with unzip, OpenSSL 3 and sha256sum, in an empty folder. Name the files to be unpacked, as here: a forged
bundle might bring a centre.pem of its own. The key comes into the folder after them.

    unzip BUNDLE.zip {MANIFEST} {SIGNATURE} {" ".join(_HELD)}
    openssl pkeyutl -verify -pubin -inkey centre.pem -rawin -in {MANIFEST} -sigfile {SIGNATURE}
    for file in {" ".join(_HELD)}; do
        sum=$(sha256sum <$file | cut -c 1-64)
        grep -q "\\"$file\\": \\"$sum\\"" {MANIFEST} && echo "$file: right" || echo "$file: CHANGED"
    done

The second must say "Signature Verified Successfully", and the third "right" of each file. A file that the manifest
does not name is no part of the bundle.

In records.csv a cell that a spreadsheet could take for a formula begins with an apostrophe, also a number with a plus.
records.json has every value as it is.

{fill(CAUTION, 118)}
"""


def _cell(said: Any) -> str:
    if said is None:
        return ""
    return str(said).lower() if isinstance(said, bool) else str(said)


def _json(document: JsonObject) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    # Stored and not deflated: what zlib makes of the same bytes depends on its version.
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.external_attr = 0o644 << 16
            member.create_system = 3
            archive.writestr(member, content)
    return packed.getvalue()
