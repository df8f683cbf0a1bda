"""Signed messages: the vectors of docs/protocol.md, and those of the RFCs."""

import gc
import json

from answering import ADAPTER_ID, KEY, answer, decoded, encoded, read, signed
from star57.link.signed import LONGEST_BYTES, SignatureError, Signer

PAYLOAD = b'{"message":"log_answer","version":1}'


def reason_of(token, sequence=7, key=KEY):
    try:
        Signer(ADAPTER_ID, key).answer(token, sequence)
    except SignatureError as fault:
        return fault.reason
    return None


def test_the_signature_is_hmac_sha_256():
    # RFC 4231, 4.2 and 4.3.
    for key, data, digest in (
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
    ):
        assert Signer("a", key)._signature(data).hex() == digest


def vectors():
    with open("docs/vectors/signed.json") as file:
        return json.load(file)


def signer_of(vector, keys):
    return Signer(vector["adapter_id"], bytes.fromhex(keys[vector["adapter_id"]]))


def test_the_vectors_of_asks():
    known = vectors()
    for vector in known["asks"]["valid"]:
        if "order" in vector["name"]:
            continue  # an adapter has one order of its own
        token = signer_of(vector, known["keys"]).ask(vector["sequence"], vector["payload"].encode())
        assert token == vector["token"].encode(), vector["name"]


def test_the_vectors_of_answers():
    known = vectors()
    for vector in known["answers"]["valid"]:
        payload = signer_of(vector, known["keys"]).answer(vector["token"].encode(), vector["sequence"])
        assert payload == vector["payload"].encode(), vector["name"]
    for vector in known["answers"]["invalid"]:
        try:
            signer_of(vector, known["keys"]).answer(vector["token"].encode(), vector["sequence"])
        except SignatureError as fault:
            assert fault.reason == vector["error"], (vector["name"], fault.reason)
        else:
            raise AssertionError(vector["name"])


def test_an_ask_can_be_read_by_whoever_has_the_key():
    token = Signer(ADAPTER_ID, KEY).ask(9007199254740991, b'{"message":"log"}')
    header, message = read(token)
    assert header == {"alg": "HS256", "typ": "ask", "kid": ADAPTER_ID, "seq": 9007199254740991}
    assert message == {"message": "log"}


def test_the_longest_message_fits():
    token = Signer("a" * 32, KEY).ask(9007199254740991, b"x" * 2048)
    assert len(token) <= LONGEST_BYTES


def test_an_answer_to_the_ask_is_taken():
    assert Signer(ADAPTER_ID, KEY).answer(answer(7, PAYLOAD), 7) == PAYLOAD


def test_every_other_answer_is_refused():
    good = answer(7, PAYLOAD)
    head, body, signature = good.split(b".")
    cases = (
        (answer(6, PAYLOAD), "other_sequence"),
        (answer("true", PAYLOAD), "other_sequence"),
        (answer("7.0", PAYLOAD), "other_sequence"),
        (answer(7, PAYLOAD, key=b"k" * 32), "bad_signature"),
        (answer(7, PAYLOAD, adapter_id="adapter-2"), "malformed"),
        (answer(7, PAYLOAD, kind="ask"), "malformed"),
        (signed(b'{"alg":"none","typ":"answer","kid":"adapter-1","seq":7}', PAYLOAD), "malformed"),
        (signed(b'{"alg":"HS256","typ":"answer","kid":"adapter-1"}', PAYLOAD), "malformed"),
        (
            signed(b'{"alg":"HS256","typ":"answer","kid":"adapter-1","seq":7,"b64":false}', PAYLOAD),
            "malformed",
        ),
        (signed(b"[]", PAYLOAD), "malformed"),
        (signed(b"{", PAYLOAD), "malformed"),
        (b"", "malformed"),
        (b"..", "malformed"),
        (good + b".", "malformed"),
        (head + b"." + body, "malformed"),
        (head + b"." + body + b".", "bad_signature"),
        (head + b"." + body + b"." + signature + b"=", "malformed"),
        (b" " + good, "malformed"),
        (good + b"\n", "malformed"),
        (good + b"A" * (LONGEST_BYTES - len(good) + 1), "too_large"),
    )
    for token, reason in cases:
        assert reason_of(token) == reason, (token, reason_of(token))


def test_what_nobody_has_signed_takes_no_memory():
    """A header of brackets, and dots without end: neither is read before its signature is known to be right."""
    for token in (encoded(b"[" * 2240) + b".x.y", b"." * LONGEST_BYTES):
        gc.collect()
        before = gc.mem_alloc()
        gc.disable()
        try:
            assert reason_of(token) == "malformed"
            assert gc.mem_alloc() - before < 2 * LONGEST_BYTES
        finally:
            gc.enable()


def test_every_flipped_bit_is_noticed():
    good = answer(7, PAYLOAD)
    for place in range(len(good)):
        for bit in range(8):
            token = bytearray(good)
            token[place] ^= 1 << bit
            assert reason_of(bytes(token)) is not None, (place, bit)


def test_one_text_alone_stands_for_its_bytes():
    data = bytes(range(256))
    assert decoded(encoded(data)) == data
    # The last letter of one byte has four bits to spare: all but one letter with the right two are refused.
    head, body, signature = answer(7, b"a").split(b".")
    assert body == b"YQ"
    assert reason_of(head + b".YR." + signature) in ("malformed", "bad_signature")
    tampered = head + b".YR"
    assert reason_of(tampered + b"." + encoded(Signer(ADAPTER_ID, KEY)._signature(tampered))) == "malformed"
