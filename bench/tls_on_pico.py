"""What a TLS handshake takes on a Pico, and whether the receivers stay whole meanwhile.

    python -m bench.tls_on_pico [--out PAGE]

Images with TLS (bench.tls_image) shake hands with Python's ssl in the emulated Pico of host_tools/rig, in exact
emulated time, paced by the firmware's own PacedSocket. Writes docs/tls_on_pico.md. It takes a quarter of an hour, and
needs what `make image`, `make tls` and `make emulator` fetch.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import tls_table
from bench.micropython import ROOT
from bench.tls_certificates import Chain, issued, self_signed
from bench.tls_handshake import ANY_CIPHER, Ciphers, handshake_of, shake_hands
from bench.tls_image import Build, image_of
from bench.tls_table import InHeap, Outcome, table
from host_tools.rig.chip_process import EmulatorMissing, emulator_command
from host_tools.rig.emulated_pico import ImageMissing

PAGE = ROOT / "docs" / "tls_on_pico.md"

FILLED_TO_BYTES = 120 << 10
"""What the firmware leaves free of the heap (docs/pico.md)."""

HEAP_TRIED_BYTES = tuple(kb << 10 for kb in (96, 64, 56, 52, 48, 44))

AS_CONFIGURED = Build("configured", "as MicroPython's rp2 port configures it")
BUILDS = (
    AS_CONFIGURED,
    Build("asm", "MBEDTLS_HAVE_ASM", ("MBEDTLS_HAVE_ASM",)),
    Build(
        "asm_fast",
        "MBEDTLS_HAVE_ASM, -O2 in place of -Os",
        ("MBEDTLS_HAVE_ASM",),
        "-O2 -Wno-maybe-uninitialized",
    ),
    Build(
        "asm_window", "MBEDTLS_HAVE_ASM, windows of 6 bits", ("MBEDTLS_HAVE_ASM", "MBEDTLS_ECP_WINDOW_SIZE=6")
    ),
    Build(
        "asm_x25519", "MBEDTLS_HAVE_ASM, X25519", ("MBEDTLS_HAVE_ASM", "MBEDTLS_ECP_DP_CURVE25519_ENABLED")
    ),
)

_AES_128 = Ciphers(
    ("TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256", "TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256"), ANY_CIPHER.service
)
_RSA_KEY = Ciphers(("TLS-RSA-WITH-AES-128-GCM-SHA256",), "AES128-GCM-SHA256")


@dataclass(frozen=True)
class Trial:
    """What is tried.

    Attributes:
        chain: the service's certificates.
        build: of the Pico's image.
        ciphers: the suites on both sides.
        heap: whether it is tried with less and less heap, too.
    """

    chain: Chain
    build: Build = AS_CONFIGURED
    ciphers: Ciphers = ANY_CIPHER
    heap: bool = False


@dataclass(frozen=True)
class Trials:
    """All that is tried, table by table."""

    certificates: Sequence[Trial]
    ciphers: Sequence[Trial]
    builds: Sequence[Trial]


def trials() -> Trials:
    """What is tried; the keys are made here."""
    rsa, curve = issued("RSA-2048", "RSA-2048"), issued("P-256", "P-256")
    certificates = (
        Trial(self_signed("RSA-2048")),
        Trial(self_signed("P-256")),
        Trial(rsa, heap=True),
        Trial(curve, heap=True),
        Trial(issued("P-256", "RSA-2048")),
        Trial(issued("RSA-2048", "RSA-2048", "RSA-4096")),
        Trial(issued("RSA-4096", "RSA-4096")),
        Trial(issued("P-256", "P-384", "RSA-4096")),
        Trial(issued("P-384", "P-384")),
    )
    ciphers = (Trial(rsa, ciphers=_AES_128), Trial(curve, ciphers=_AES_128), Trial(rsa, ciphers=_RSA_KEY))
    builds = [Trial(chain, build) for chain in (rsa, curve) for build in BUILDS]
    return Trials(certificates, ciphers, builds)


def measure(trial: Trial, image: Path) -> Outcome:
    """Shakes hands as the trial has it.

    Raises:
        HandshakeFailed: it came to nothing.
        FirmwareFault: nothing came of it at all.
    """
    (empty, filled), (empty_at_once, filled_at_once) = (
        [handshake_of(report) for report in _reports(trial, image, is_paced)] for is_paced in (True, False)
    )
    by_heap = {}
    if trial.heap:
        reports = shake_hands(image, trial.chain, paced=True, leave_free=HEAP_TRIED_BYTES)
        tried = zip(HEAP_TRIED_BYTES, reports, strict=True)
        by_heap = {size: handshake_of(report).longest_ms for size, report in tried if "fault" not in report}
    return Outcome(
        trial.chain.name,
        trial.build.told,
        InHeap(empty, empty_at_once),
        InHeap(filled, filled_at_once),
        by_heap,
    )


def _reports(trial: Trial, image: Path, is_paced: bool) -> list[dict[str, Any]]:
    heaps = (0, FILLED_TO_BYTES)
    return shake_hands(image, trial.chain, paced=is_paced, leave_free=heaps, ciphers=trial.ciphers)


def page(certificates: Sequence[Outcome], ciphers: Sequence[Outcome], builds: Sequence[Outcome]) -> str:
    """docs/tls_on_pico.md."""
    steps = [tls_table.CERTIFICATE, tls_table.KEY_EXCHANGE, tls_table.KEY]
    longest = [tls_table.PACED, tls_table.PACED_FILLED, tls_table.AT_ONCE, tls_table.AT_ONCE_FILLED]
    heap = [outcome for outcome in certificates if outcome.longest_by_heap_ms]
    return _PAGE.format(
        filled_to=FILLED_TO_BYTES >> 10,
        ring_ms=round(tls_table.RING_MS),
        certificates=table([tls_table.CERTIFICATES, *steps, *longest, tls_table.HEAP], certificates),
        verdict=tls_table.verdict(certificates),
        ciphers=table([tls_table.CERTIFICATES, tls_table.SUITE, *longest, tls_table.KEYLESS], ciphers),
        builds=table([tls_table.CERTIFICATES, tls_table.IMAGE, *steps, *longest], builds),
        heap=tls_table.heap_table(HEAP_TRIED_BYTES, heap),
    )


_PAGE = """\
# TLS on a Pico, measured

Written by `python -m bench.tls_on_pico`. Images with MicroPython 1.25 and Mbed TLS 3.6 shook hands with Python's ssl in
an emulated Pico of 128 MHz, in exact emulated time. That is a lower bound: misses of the flash cache are not modelled,
and no real board was at hand.

A step is one call into `tls`; nothing else runs in it. The ring of samples bridges {ring_ms} ms. A longer step is bold:
it loses samples of the line. Paced steps are those of the firmware's PacedSocket (firmware/star57/link/tls.py), by
which `tls` has one message at a time. All at once is without it, when everything that the service says has come.

Mbed TLS takes each of its numbers from MicroPython's heap. Behind a collection, MicroPython looks for room from the
bottom of the heap on, so a step takes longer when much of the heap is in use. A filled heap is one in which blocks of
1 KB leave {filled_to} KB free, about what the firmware leaves (pico.md), and which was collected just before. All other
figures are of an empty heap.

## Certificates

{certificates}
In "Certificate" the chain's signatures are checked (none, where the service's own certificate is pinned), in
"ServerKeyExchange" the service's signature, in "Key agreement" two points of P-256 are multiplied. Everything else of a
handshake is short. Heap taken is the most between two steps.

{verdict}
## What an operator should do

- Have an RSA-2048 certificate for the service, and pin it, or the own RSA-2048 CA that issued it. To check RSA takes a
  third of what P-256 takes, and depends less on the heap. With P-256 a paced step, too, may be longer than the ring
  bridges, as the heap lies (below).
- Have no P-384 in the chain: to check one of its signatures takes as long as the ring bridges, or longer.
- Have TLS 1.2 on: MicroPython 1.25 has no TLS 1.3. An ECDHE suite with AES-GCM is agreed upon by itself.
- Have the service keep connections open. MicroPython's `tls` cannot resume a session, so that each connection costs a
  whole handshake.

A step leaves as many milliseconds of samples as it took. The steps of one handshake together may be longer than the
ring, so the next must wait until the receivers have caught up: at a load of L of the core (pico.md), L / (1 - L) of the
step's time, a third at 26 %.

## Other suites

{ciphers}
"All other steps" is a handshake without public keys: what a resumed session would cost. TLS-RSA has no forward secrecy:
who gets the service's key can read what was recorded before.

## Other ways to compile Mbed TLS

{builds}
The rp2 port defines none of these options. Windows are ECP_WINDOW_SIZE, 4 bits otherwise; fixed-point and NIST
optimisations are on in all of them. With X25519 the key agreement is on that curve.

## Heap

The longest paced step, by the heap that there is before it:

{heap}
The heap is filled as above, but no handshake in an empty one came before. `wrap_socket` takes 23 KB, 16 KB of it in one
piece. A handshake fails when there is no such piece, which depends on how the heap lies and not on its size alone.

## Names

Looking up a name was not timed, for the emulated Pico has no network. The rp2 port's `getaddrinfo` waits in a loop
until lwIP has an answer or gives up (extmod/modlwip.c), without a bound of its own, and nothing else runs. The firmware
does not ask it for names: firmware/star57/link/names.py asks the name server itself.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="What a TLS handshake takes on a Pico.")
    parser.add_argument("--out", type=Path, default=PAGE, metavar="PAGE")
    out: Path = parser.parse_args().out
    try:
        emulator_command()
        images = {build: image_of(build) for build in BUILDS}
    except (ImageMissing, EmulatorMissing) as missing:
        sys.exit(f"TLS on the Pico is left out: {missing}")
    tried = trials()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        tables = [
            pool.map(measure, table_trials, [images[trial.build] for trial in table_trials])
            for table_trials in (tried.certificates, tried.ciphers, tried.builds)
        ]
        outcomes = [list(outcome) for outcome in tables]
    out.write_text(page(*outcomes))
    print(f"bench: {out}")


if __name__ == "__main__":
    main()
