"""Reads caller-ID messages, one a line, and answers each with a line of JSON: the message, or why it is none.

A line is a format and what came: "fsk" and "ntt" with hex digits, "dtmf" with the keys; after "dtmf" and a colon may
stand the names of the schemes to listen for.
"""

import json
import sys

from star57.callerid.dtmf_clip import ALL, SCHEMES, DtmfCallerId
from star57.callerid.framing import MESSAGE, Framer, NttFramer
from star57.callerid.message import MessageError, parse, parse_ntt

_WINDOW_SAMPLES = 8 * 60000


def _framed(framer, data):
    framer.reset()
    framer.carrier(1)
    framer.marks(180)
    for value in data:
        framer.byte(value, 255)
    framer.carrier(0)
    return bytes(framer.data[: framer.length]) if framer.result == MESSAGE else None


def _answer_bytes(data, read, framer):
    try:
        fields = read(data).as_dict()
    except MessageError as fault:
        return {"error": fault.reason}
    return {"message": fields, "framed": _framed(framer, data) == data}


def _answer_keys(keys, schemes):
    receiver = DtmfCallerId(None, [SCHEMES[name] for name in schemes.split(",")] if schemes else ALL)
    receiver.listen(_WINDOW_SAMPLES)
    for key in keys:
        receiver.digit(ord(key))
        receiver.advance(560)
        receiver.digit_end(ord(key), 560)
        receiver.advance(560)
    if receiver.result != MESSAGE:
        return {"error": "no caller"}
    return {"message": receiver.message().as_dict()}


def main():
    framer = Framer()
    ntt_framer = NttFramer()
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        form, _, text = line.rstrip("\n").partition(" ")
        form, _, schemes = form.partition(":")
        if form == "dtmf":
            answer = _answer_keys(text, schemes)
        elif form == "ntt":
            answer = _answer_bytes(bytes.fromhex(text), parse_ntt, ntt_framer)
        else:
            answer = _answer_bytes(bytes.fromhex(text), parse, framer)
        print(json.dumps(answer))


main()
