"""The bundle of a release: what is in it, that it is always the same, and that whatever is changed in it is found."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey
from pypdf import PdfReader
from typer.testing import CliRunner

from host_tools.cli.bundle import bundle as bundle_command
from host_tools.service import bundle_verify
from host_tools.service.bundle import CAUTION, build
from host_tools.service.bundle_verify import (
    BundleInvalid,
    FileAdded,
    FileChanged,
    FileMissing,
    KeyUnreadable,
    NotABundle,
    SignatureWrong,
    public_key_pem,
    read_public_key,
    verify,
)
from host_tools.service.etsi import FIELDS
from host_tools.service.instruments import Instrument, InstrumentKind
from host_tools.service.released import OpenedRecord, ReleaseFacts
from host_tools.service.sealing import fingerprint
from tests.host.service.test_sealing import WHO

KEY = SigningKey(bytes(range(32)))
PUBLIC_KEY = bytes(KEY.verify_key)
FACTS = ReleaseFacts(
    case_id="C-00000007",
    line="5555550100",
    instrument=Instrument(
        kind=InstrumentKind.SUBPOENA,
        agency="Springfield <b>Police</b> & Sheriff",
        officer="=HYPERLINK(1)",
        case_number="26-1234",
        reference="Docket 9 Łódź",
        issued_on=date(2026, 1, 2),
    ),
    released_at=1767355200,
    released_by="lee",
)
RECORDS = [
    OpenedRecord("T-00000001", "adapter-1", "ab" * 32, WHO),
    OpenedRecord(
        "T-00000002",
        "adapter-1",
        "cd" * 32,
        WHO.model_copy(update={"name": "=1+1", "origin": "+15555550123", "called_at": None}),
    ),
]
BUNDLE = build(FACTS, RECORDS, KEY, ZoneInfo("America/New_York"))
HELD = ["records.json", "records.csv", "cover.pdf", "VERIFY.txt"]


def unpacked(bundle: bytes) -> dict[str, bytes]:
    """The files of a bundle, by name."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these files."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def test_a_bundle_is_verified_with_the_centres_key() -> None:
    manifest = verify(BUNDLE, PUBLIC_KEY)
    assert manifest["case_id"] == "C-00000007"
    assert manifest["instrument"]["case_number"] == "26-1234"
    assert manifest["released_by"] == "lee"
    assert manifest["released_at"] == "2026-01-02T12:00:00Z"
    assert manifest["signed_by"] == fingerprint(PUBLIC_KEY)
    assert manifest["records"] == [
        {"trace_id": "T-00000001", "sealed_sha256": "ab" * 32},
        {"trace_id": "T-00000002", "sealed_sha256": "cd" * 32},
    ]
    assert list(manifest["files"]) == HELD
    assert list(unpacked(BUNDLE)) == [*HELD, "manifest.json", "manifest.sig"]


def test_the_same_release_makes_the_same_bytes() -> None:
    assert build(FACTS, RECORDS, KEY, ZoneInfo("America/New_York")) == BUNDLE


def test_the_records_in_json() -> None:
    document = json.loads(unpacked(BUNDLE)["records.json"])
    assert document["star57"]["caution"] == CAUTION
    assert document["star57"]["instrument"]["agency"] == "Springfield <b>Police</b> & Sheriff"
    assert document["retainedDataHeader"] == {
        "requestID": {
            "authorisedOrganisationID": "Springfield <b>Police</b> & Sheriff",
            "requestNumber": "Docket 9 Łódź",
        },
        "timeStamp": "20260102120000Z",
    }
    first, second = document["records"]
    assert first["star57"]["subscriber_name"] == "Zoë O'Hara"
    assert second["star57"]["subscriber_name"] == "=1+1"
    assert (first["recordNumber"], second["recordNumber"]) == (1, 2)


def test_the_records_in_csv_hold_no_formula() -> None:
    text = unpacked(BUNDLE)["records.csv"].decode()
    header, first, second = csv.reader(io.StringIO(text))
    assert header == [field.path for field in FIELDS]
    named = dict(zip(header, second, strict=True))
    assert named["star57.subscriber_name"] == "'=1+1"
    assert named["star57.called_at"] == ""
    assert named["star57.answered"] == "true"
    assert "'+15555550123" in second
    assert "5555550123" in first


def test_the_cover_says_what_it_is_and_never_who_called() -> None:
    (page,) = PdfReader(io.BytesIO(unpacked(BUNDLE)["cover.pdf"])).pages
    said = " ".join(page.extract_text().split())
    for words in (
        "C-00000007",
        "Subpoena of 2026-01-02",
        "Springfield <b>Police</b> & Sheriff",
        "=HYPERLINK(1)",
        "26-1234",
        "Docket 9 ?ód?",
        "Records 2",
        "2026-01-02 12:00:00 UTC; 2026-01-02 07:00:00 EST",
        "2026-01-01 07:00:00 EST",
        "not known",
        "T-00000002",
        "can be spoofed",
        fingerprint(PUBLIC_KEY),
    ):
        assert words in said
    assert "5555550123" not in said
    assert "Zo" not in said


def test_the_note_unpacks_nothing_but_what_was_released() -> None:
    (command,) = [
        line.split()
        for line in unpacked(BUNDLE)["VERIFY.txt"].decode().splitlines()
        if line.startswith("    unzip ")
    ]
    assert sorted(command[2:]) == sorted(unpacked(BUNDLE))


def test_thousands_of_records_that_are_no_longer_kept_are_named_on_the_cover() -> None:
    gone = tuple(f"T-{number:08}" for number in range(10, 3000))
    cover = unpacked(build(replace(FACTS, not_kept=gone), RECORDS, KEY, ZoneInfo("UTC")))["cover.pdf"]
    said = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(cover)).pages)
    assert "No longer kept 2990" in " ".join(said.split())
    assert [trace_id for trace_id in gone if trace_id not in said] == []


def test_a_release_of_many_records_has_a_cover_of_several_pages() -> None:
    many = [RECORDS[0]] * 120
    cover = unpacked(build(FACTS, many, KEY, ZoneInfo("UTC")))["cover.pdf"]
    assert len(PdfReader(io.BytesIO(cover)).pages) > 2


def flipped(content: bytes) -> bytes:
    """The content with one bit changed in its middle."""
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    return bytes(changed)


def swapped(files: dict[str, bytes]) -> dict[str, bytes]:
    return {**files, "records.json": files["records.csv"], "records.csv": files["records.json"]}


def resigned(files: dict[str, bytes]) -> dict[str, bytes]:
    """Changed, with a manifest that fits, signed by somebody else."""
    records = files["records.json"].replace(b"5555550123", b"5555550124")
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["records.json"] = hashlib.sha256(records).hexdigest()
    text = json.dumps(manifest).encode()
    signature = SigningKey(bytes(32)).sign(text).signature
    return {**files, "records.json": records, "manifest.json": text, "manifest.sig": signature}


def without(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {held: content for held, content in files.items() if held != name}


TAMPERED: list[tuple[str, Callable[[dict[str, bytes]], dict[str, bytes]], type[BundleInvalid], str]] = [
    *(
        (f"{name} changed", lambda files, name=name: {**files, name: flipped(files[name])}, FileChanged, name)
        for name in HELD
    ),
    *(
        (f"{name} longer", lambda files, name=name: {**files, name: files[name] + b" "}, FileChanged, name)
        for name in HELD
    ),
    *((f"{name} missing", lambda files, name=name: without(files, name), FileMissing, name) for name in HELD),
    (
        "manifest changed",
        lambda files: {**files, "manifest.json": flipped(files["manifest.json"])},
        SignatureWrong,
        "manifest.json",
    ),
    (
        "manifest longer",
        lambda files: {**files, "manifest.json": files["manifest.json"] + b"\n"},
        SignatureWrong,
        "manifest.json",
    ),
    (
        "signature changed",
        lambda files: {**files, "manifest.sig": flipped(files["manifest.sig"])},
        SignatureWrong,
        "manifest.json",
    ),
    (
        "signature short",
        lambda files: {**files, "manifest.sig": files["manifest.sig"][:-1]},
        SignatureWrong,
        "not signed",
    ),
    ("signature empty", lambda files: {**files, "manifest.sig": b""}, SignatureWrong, "not signed"),
    ("signed by another", resigned, SignatureWrong, "another centre"),
    ("two files swapped", swapped, FileChanged, "records.json"),
    ("a file added", lambda files: {**files, "records2.json": b"{}"}, FileAdded, "records2.json"),
    ("a folder added", lambda files: {**files, "more/": b""}, FileAdded, "more/"),
    ("no manifest", lambda files: without(files, "manifest.json"), NotABundle, "manifest.json"),
    ("no signature", lambda files: without(files, "manifest.sig"), NotABundle, "manifest.sig"),
]


@pytest.mark.parametrize(
    ("tamper", "kind", "said"), [case[1:] for case in TAMPERED], ids=[c[0] for c in TAMPERED]
)
def test_whatever_is_changed_is_found(
    tamper: Callable[[dict[str, bytes]], dict[str, bytes]], kind: type[BundleInvalid], said: str
) -> None:
    with pytest.raises(kind, match=said.replace(".", r"\.")):
        verify(packed(tamper(unpacked(BUNDLE))), PUBLIC_KEY)


def test_packing_it_anew_changes_nothing_of_a_bundle() -> None:
    assert verify(DEFLATED, PUBLIC_KEY) == verify(BUNDLE, PUBLIC_KEY)


DEFLATED = packed(unpacked(BUNDLE), zipfile.ZIP_DEFLATED)


@given(data=st.data())
def test_no_changed_byte_of_the_zip_gets_another_content_through(data: st.DataObject) -> None:
    bundle = bytearray(data.draw(st.sampled_from([BUNDLE, DEFLATED])))
    directory = bundle.index(b"PK\x01\x02")
    places = st.integers(0, len(bundle) - 1) | st.integers(directory, len(bundle) - 1) | st.integers(0, 60)
    for place in data.draw(st.lists(places, min_size=1, max_size=3)):
        bundle[place] = data.draw(st.integers(0, 255))
    try:
        manifest = verify(bytes(bundle), PUBLIC_KEY)
    except BundleInvalid:
        return
    # What a zip says beside its contents, such as a time, is not what was released.
    assert manifest == verify(BUNDLE, PUBLIC_KEY)
    assert unpacked(bytes(bundle)) == unpacked(BUNDLE)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda more: more + BUNDLE[-300:]))
def test_any_bytes_are_a_bundle_or_none(bundle: bytes) -> None:
    with pytest.raises(NotABundle):
        verify(bundle, PUBLIC_KEY)


@given(
    st.text() | st.text().map(lambda text: f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
)
def test_any_text_is_a_key_or_none(text: str) -> None:
    try:
        key = read_public_key(text)
    except KeyUnreadable:
        return
    assert len(key) == 32


def test_what_the_centre_has_signed_and_is_no_release() -> None:
    said = b'{"files": {}}'
    with pytest.raises(NotABundle, match="not that of a release"):
        verify(packed({"manifest.json": said, "manifest.sig": KEY.sign(said).signature}), PUBLIC_KEY)


@pytest.mark.parametrize("bundle", [b"", b"PK", b"\0" * 100, BUNDLE[:-30], packed({})])
def test_what_is_no_bundle(bundle: bytes) -> None:
    with pytest.raises(NotABundle):
        verify(bundle, PUBLIC_KEY)


def test_two_files_of_one_name_are_refused() -> None:
    written = io.BytesIO(BUNDLE)
    with zipfile.ZipFile(written, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("records.json", b"{}")
    with pytest.raises(NotABundle, match="two files of one name"):
        verify(written.getvalue(), PUBLIC_KEY)


def test_a_zip_that_would_fill_the_memory_is_not_read() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("manifest.json", "manifest.sig"):
            archive.writestr(name, b"\0" * (bundle_verify.MAX_BYTES // 2 + 1))
    with pytest.raises(NotABundle, match="more than any bundle"):
        verify(bomb.getvalue(), PUBLIC_KEY)
    with pytest.raises(NotABundle, match="more than any bundle"):
        verify(packed({str(number): b"" for number in range(17)}), PUBLIC_KEY)


def test_a_public_key_is_read_from_pem_and_from_hex() -> None:
    assert read_public_key(public_key_pem(PUBLIC_KEY)) == PUBLIC_KEY
    assert read_public_key(f" {PUBLIC_KEY.hex()}\n") == PUBLIC_KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "zz" * 32,
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----\n",
        public_key_pem(PUBLIC_KEY).replace("PUBLIC", "PRIVATE"),
        public_key_pem(PUBLIC_KEY[:-1]),
        "BEGIN",
    ],
)
def test_what_is_no_public_key(text: str) -> None:
    with pytest.raises(KeyUnreadable):
        read_public_key(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with BUNDLE.zip and centre.pem."""
    (tmp_path / "BUNDLE.zip").write_bytes(BUNDLE)
    (tmp_path / "centre.pem").write_text(public_key_pem(PUBLIC_KEY))
    return tmp_path


def test_the_command_says_what_it_has_verified(folder: Path) -> None:
    said = CliRunner().invoke(
        bundle_command, ["verify", str(folder / "BUNDLE.zip"), "--key", str(folder / "centre.pem")]
    )
    assert said.exit_code == 0
    assert "case C-00000007, 2 records, released by lee" in said.stdout
    said = CliRunner().invoke(
        bundle_command, ["verify", str(folder / "BUNDLE.zip"), "--key", bytes(32).hex()]
    )
    assert said.exit_code == 1
    assert said.stderr.startswith("star57 bundle: manifest.json is not signed with this key")


def test_the_verifier_runs_on_its_own(folder: Path) -> None:
    shutil.copy(bundle_verify.__file__, folder / "alone.py")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", "alone.py", *words],
            cwd=folder,
            text=True,
            capture_output=True,
            check=False,
        )

    right = run("BUNDLE.zip", "centre.pem")
    assert (right.returncode, right.stderr) == (0, "")
    assert right.stdout.startswith("right: nothing was changed since the release of 2026-01-02T12:00:00Z\n")
    assert run("BUNDLE.zip", PUBLIC_KEY.hex()).returncode == 0
    (folder / "BUNDLE.zip").write_bytes(packed(swapped(unpacked(BUNDLE))))
    wrong = run("BUNDLE.zip", "centre.pem")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == "bundle_verify: records.json was changed since the release\n"
    assert run("BUNDLE.zip").returncode == 2
    assert run("none.zip", "centre.pem").returncode == 1


def commands_of_the_note() -> list[str]:
    """The lines of VERIFY.txt that need no software of ours, without the one that unpacks."""
    note = unpacked(BUNDLE)["VERIFY.txt"].decode()
    return [
        line
        for line in note.split("    unzip BUNDLE.zip", 1)[1].split("The second must", 1)[0].splitlines()[1:]
        if line.strip()
    ]


@pytest.mark.parametrize(
    ("tamper", "openssl", "changed"),
    [
        (lambda files: files, 0, []),
        (swapped, 0, ["records.json", "records.csv"]),
        (lambda files: {**files, "cover.pdf": flipped(files["cover.pdf"])}, 0, ["cover.pdf"]),
        (resigned, 1, []),
    ],
)
def test_the_note_is_right_without_our_software(
    folder: Path,
    tamper: Callable[[dict[str, bytes]], dict[str, bytes]],
    openssl: int,
    changed: list[str],
) -> None:
    for name, content in tamper(unpacked(BUNDLE)).items():
        (folder / name).write_bytes(content)
    check, *sums = commands_of_the_note()
    signature = subprocess.run(
        ["/bin/sh", "-c", check], cwd=folder, text=True, capture_output=True, check=False
    )
    assert signature.returncode == openssl, signature.stderr
    assert ("Signature Verified Successfully" in signature.stdout) == (openssl == 0)
    said = subprocess.run(
        ["/bin/sh", "-c", "\n".join(sums)], cwd=folder, text=True, capture_output=True, check=True
    ).stdout
    assert said.splitlines() == [f"{name}: {'CHANGED' if name in changed else 'right'}" for name in HELD]
