"""Signed releases: the vectors of docs/vectors/release.json."""

import asyncio

from releases import RELEASE_KEY, VECTORS
from star57 import release as release_room
from star57.release import ReleaseError


async def reason_of(signed, key=RELEASE_KEY):
    try:
        await release_room.read(signed, key)
    except ReleaseError as fault:
        return fault.reason
    return None


async def test_what_the_key_has_signed_is_read():
    for vector in VECTORS["valid"]:
        release = await release_room.read(bytes.fromhex(vector["signed"]), RELEASE_KEY)
        manifest = vector["manifest"]
        assert (release.number, release.board) == (manifest["release"], manifest["board"]), vector["name"]
        assert release.version == manifest["version"]
        assert release.images == {
            slot: (image["size"], image["sha256"]) for slot, image in manifest["slots"].items()
        }


async def test_everything_else_is_refused_by_its_reason():
    for vector in VECTORS["invalid"]:
        assert await reason_of(bytes.fromhex(vector["signed"])) == vector["reason"], vector["name"]


async def test_a_release_with_any_byte_changed_has_a_wrong_signature():
    signed = bytes.fromhex(VECTORS["valid"][0]["signed"])
    for place in range(0, len(signed), 7):
        changed = bytearray(signed)
        changed[place] ^= 1 << place % 8
        assert await reason_of(bytes(changed)) == "bad_signature", place


async def test_without_a_key_of_3072_bits_nothing_is_taken():
    signed = bytes.fromhex(VECTORS["valid"][0]["signed"])
    for key in ("", RELEASE_KEY[:-2], RELEASE_KEY + "00"):
        assert await reason_of(signed, key) == "no_release_key"
    assert await reason_of(signed, "f" * 768) == "bad_signature"
    assert await reason_of(signed, "0" * 768) == "bad_signature"


async def test_others_run_between_the_steps():
    steps = []

    async def count():
        while True:
            steps.append(None)
            await asyncio.sleep_ms(0)

    task = asyncio.create_task(count())
    await reason_of(bytes.fromhex(VECTORS["valid"][0]["signed"]))
    task.cancel()
    assert len(steps) >= 16
