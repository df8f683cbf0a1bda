"""How each caller-ID standard sends its FSK: one row a standard."""

from collections import namedtuple

# mark_hz, space_hz, baud: what receiver and sender need.
# seizure_bits, mark_bits: sent before the data on-hook; off_hook_mark_bits: off-hook, without a seizure.
Standard = namedtuple(
    "Standard", ("name", "mark_hz", "space_hz", "baud", "seizure_bits", "mark_bits", "off_hook_mark_bits")
)

BELL_202 = Standard("bell_202", 1200, 2200, 1200, 300, 180, 80)  # Telcordia GR-30, TIA-777-A
V23 = Standard("v23", 1300, 2100, 1200, 300, 180, 80)  # ETSI EN 300 659-1, ES 200 778-1
BT = Standard("bt", 1300, 2100, 1200, 96, 55, 55)  # SIN 227: 96 to 315 bits of seizure, at least 55 of mark

STANDARDS = {standard.name: standard for standard in (BELL_202, V23, BT)}
