"""The most likely message that a burst can have been, by grammar and checksum (GR-30, ES 200 659-3)."""

from star57.callerid import message

# Costs are in nats: how much less likely one reading is than another.
_IMPOSSIBLE = 40.0
_UNUSUAL = 3.0
_UNEXPLAINED = 6.0  # a character behind the message's end
_MOST_DEVIATIONS = const(40)
_HEADER = const(2)
_SDMF = b"\x04\x06\x0b"
_TYPES = b"\x04\x06\x0b\x80\x82\x81\x86\x89"
_REASONS = b"OPCSI"
_DATE_TENS = {0: b"01", 2: b"0123", 4: b"012", 6: b"012345"}


def _date_cost(place, _length, value):
    allowed = _DATE_TENS.get(place)
    if allowed is not None:
        return 0.0 if value in allowed else _IMPOSSIBLE
    return 0.0 if 0x30 <= value <= 0x39 else _IMPOSSIBLE


def _number_cost(_place, length, value):
    if 0x30 <= value <= 0x39:
        return 0.0
    if length == 1 and value in _REASONS:
        return 1.0
    return 6.0 if value in b"*#+ -" else _IMPOSSIBLE


def _reason_cost(_place, _length, value):
    return 0.0 if value in _REASONS else _IMPOSSIBLE


def _text_cost(_place, _length, value):
    if 0x41 <= value <= 0x5A or value == 0x20:
        return 0.0
    if 0x20 < value < 0x7F:
        return 1.5
    return 5.0 if value >= 0xA0 else _IMPOSSIBLE


def _any_cost(_place, _length, _value):
    return _UNUSUAL


_CONTENT_COSTS = {
    message.CLASS_ANY: _any_cost,
    message.CLASS_DATE: _date_cost,
    message.CLASS_NUMBER: _number_cost,
    message.CLASS_REASON: _reason_cost,
    message.CLASS_TEXT: _text_cost,
}
_PARAMETER_TYPES = bytes(row.code for row in message.MDMF_PARAMETERS)


class Reading:
    """A message and how sure it is: `data`; `cost` in nats; `margin` over the next best; `repaired`."""

    def __init__(self, data, cost, margin, repaired):
        self.data = data
        self.cost = cost
        self.margin = margin
        self.repaired = repaired


def read(characters, follows):
    """The best Reading of `characters`: for each a list of (cost, value), the likeliest first. None if there is none.

    The first character is the message's type. `follows`: for each, whether it comes at once behind the one before.
    """
    best = None
    for cost_type, message_type in characters[0]:
        if message_type not in _TYPES:
            continue
        for cost_length, length in characters[1]:
            if cost_type + cost_length > _IMPOSSIBLE or not 3 <= length <= len(characters) - 3:
                continue
            cost, slots = _structure(characters, message_type, length)
            if slots is None:
                continue
            # Characters that go on behind the message's end speak against this end.
            cost += cost_type + cost_length + _UNEXPLAINED * _following(follows, length + 3)
            found = _solve(characters, bytes([message_type, length]), slots, cost)
            best = _better(best, found)
    return best


def _following(follows, end):
    count = 0
    while count < 4 and end + count < len(follows) and follows[end + count]:
        count += 1
    return count


def _better(one, other):
    if one is None or other is None:
        return other if one is None else one
    if other.cost < one.cost:
        one, other = other, one
    one.margin = min(one.margin, other.cost - one.cost)
    return one


def _structure(characters, message_type, length):
    """Cost and the slots (position, choices) of the likeliest division into parameters; choices are (cost, value)."""
    end = _HEADER + length
    if message_type in _SDMF:
        return _single(characters, message_type, length, end)
    best = {end: (0.0, None)}
    for position in range(end - 2, _HEADER - 1, -1):
        chosen = None
        for cost_type, parameter_type in characters[position][:8]:
            if cost_type > 25 or parameter_type not in _PARAMETER_TYPES:
                continue
            content = _CONTENT_COSTS[message.content_class(parameter_type)]
            for cost_length, parameter_length in characters[position + 1][:8]:
                after = position + 2 + parameter_length
                if parameter_length == 0 or cost_length > 25 or after not in best:
                    continue
                if content is _date_cost and parameter_length != 8:
                    continue
                cost = cost_type + cost_length + best[after][0]
                for k in range(parameter_length):
                    cost += _least(characters[position + 2 + k], content, k, parameter_length)
                if chosen is None or cost < chosen[0]:
                    chosen = (cost, (parameter_type, parameter_length, content))
        if chosen is not None and chosen[0] < 3 * _IMPOSSIBLE:
            best[position] = chosen
    if _HEADER not in best:
        return 0.0, None
    slots = []
    position = _HEADER
    cost = best[_HEADER][0]
    while position != end:
        parameter_type, parameter_length, content = best[position][1]
        slots.append([(0.0, parameter_type)])
        slots.append([(0.0, parameter_length)])
        for k in range(parameter_length):
            slots.append(_choices(characters[position + 2 + k], content, k, parameter_length))
        position += 2 + parameter_length
    return cost, slots


def _single(characters, message_type, length, end):
    slots = []
    cost = 0.0
    for position in range(_HEADER, end):
        place = position - _HEADER
        content = _any_cost
        if message_type == _SDMF[0]:
            if length < 9:
                return 0.0, None
            content = _date_cost if place < 8 else _number_cost
            place = place if place < 8 else place - 8
        cost += _least(characters[position], content, place, length - 8)
        slots.append(_choices(characters[position], content, place, length - 8))
    return cost, slots


def _least(alternatives, content, place, length):
    least = _IMPOSSIBLE
    for cost, value in alternatives:
        if cost >= least:
            break
        least = min(least, cost + content(place, length, value))
    return least


def _choices(alternatives, content, place, length):
    """What a content character may be, the cheapest first, costs counted from it."""
    allowed = []
    for cost, value in alternatives:
        total = cost + content(place, length, value)
        if total < _IMPOSSIBLE:
            allowed.append((total, value))
    if not allowed:
        return [(0.0, alternatives[0][1])]
    allowed.sort()
    least = allowed[0][0]
    return [(cost - least, value) for cost, value in allowed]


def _solve(characters, header, slots, cost):
    """The cheapest choice whose checksum holds, and how much dearer the next one is."""
    # The checksum's own character is one more slot, and the sum of all must be 0.
    slots = slots + [list(characters[_HEADER + header[1]])]
    data = bytearray(header)
    for choices in slots:
        data.append(choices[0][1])
    wanted = -sum(data) & 0xFF
    deviations = []
    for k in range(len(slots)):
        for choice_cost, value in slots[k][1:]:
            deviations.append((choice_cost, k, (value - slots[k][0][1]) & 0xFF, value))
    deviations.sort()
    first, second = _cheapest(deviations[:_MOST_DEVIATIONS], wanted)
    if first is None:
        return None
    for _, k, _, value in first[1]:
        data[_HEADER + k] = value
    repaired = False
    for k in range(len(data)):
        repaired = repaired or data[k] != characters[k][0][1]
    return Reading(bytes(data), cost + first[0], second - first[0], repaired)


def _cheapest(deviations, wanted):
    """The cheapest set of up to three deviations at different places that adds up to `wanted`; the next one's cost."""
    best = (0.0, ()) if wanted == 0 else None
    second = _IMPOSSIBLE
    sets = []
    count = len(deviations)
    for a in range(count):
        one = deviations[a]
        if one[0] > second:
            break
        if one[2] == wanted:
            sets.append((one[0], (one,)))
        for b in range(a + 1, count):
            two = deviations[b]
            if one[0] + two[0] > second:
                break
            if two[1] == one[1]:
                continue
            pair = (one[2] + two[2]) & 0xFF
            if pair == wanted:
                sets.append((one[0] + two[0], (one, two)))
            for c in range(b + 1, count):
                three = deviations[c]
                if one[0] + two[0] + three[0] > second:
                    break
                if (pair + three[2]) & 0xFF == wanted and three[1] != one[1] and three[1] != two[1]:
                    sets.append((one[0] + two[0] + three[0], (one, two, three)))
        for found in sets:
            if best is None or found[0] < best[0]:
                if best is not None:
                    second = min(second, best[0])
                best = found
            elif found[0] < second:
                second = found[0]
        sets = []
    return best, second
