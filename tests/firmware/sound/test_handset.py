"""The household's telephone: sentences, digits, a call that rings meanwhile, hanging up, and a TTY."""

import asyncio

from star57.sound.handset import Handset
from star57.sound.player import Signal, Silence, Text
from star57.trace.dialogue import HungUp

PAUSE = Silence(350)
SHORT_PAUSE = Silence(250)


class Player:
    """Plays until the test says that all was spoken."""

    def __init__(self):
        self.idle = True
        self.played = []
        self.stops = 0

    def play(self, items):
        self.idle = not items
        self.played.append(tuple("beep" if isinstance(item, Signal) else item for item in items))

    def stop(self):
        self.idle = True
        self.stops += 1


class Speaker:
    def announcement(self, name, cents):
        return (name, PAUSE, str(cents))


class House:
    def __init__(self, texts=None):
        self.player = Player()
        self.handset = Handset(self.player, Speaker(), texts)

    async def begin(self, coroutine):
        task = asyncio.create_task(coroutine)
        await asyncio.sleep_ms(0)
        return task

    async def spoken(self):
        self.player.idle = True
        self.handset.spoken()
        await asyncio.sleep_ms(0)
        await asyncio.sleep_ms(0)


async def test_an_announcement_is_said_sentence_by_sentence():
    house = House()
    task = await house.begin(house.handset.say("offer", 500))
    assert house.player.played == [("offer", PAUSE)]
    await house.spoken()
    assert house.player.played[1:] == [("500",)]
    await house.spoken()
    assert await task is None


async def test_the_groups_of_a_number_are_one_sentence():
    house = House()
    items = ("a", SHORT_PAUSE, "b", PAUSE, "c", PAUSE)
    task = await house.begin(house.handset.speak(items))
    await house.spoken()
    await house.spoken()
    assert await task is None
    assert house.player.played == [items[:4], items[4:]]


async def test_a_digit_cuts_it_short():
    house = House()
    task = await house.begin(house.handset.say("offer", 500))
    house.handset.digit(0x31)
    assert await task == 0x31
    assert (len(house.player.played), house.player.stops) == (1, 1)


async def test_a_question_waits_for_its_digit_and_no_longer():
    house = House()
    task = await house.begin(house.handset.question(("a",), 10_000))
    await house.spoken()
    house.handset.digit(0x32)
    assert await task == 0x32
    task = await house.begin(house.handset.question(("a",), 1))
    await house.spoken()
    assert await task is None


async def test_a_call_that_rings_beeps_in_the_next_pause_once_a_ring():
    house = House()
    task = await house.begin(house.handset.say("offer", 500))
    house.handset.rings()
    await asyncio.sleep_ms(0)
    assert len(house.player.played) == 1
    for _ in range(3):
        await house.spoken()
    assert await task is None
    assert house.player.played == [("offer", PAUSE), ("beep",), ("500",)]


async def test_it_beeps_while_an_answer_is_waited_for_and_the_answer_is_heard():
    house = House()
    task = await house.begin(house.handset.question(("a",), 10_000))
    await house.spoken()
    house.handset.rings()
    await asyncio.sleep_ms(0)
    assert house.player.played == [("a",), ("beep",)]
    house.handset.digit(0x31)
    await house.spoken()
    assert await task == 0x31


async def test_the_end_waits_for_a_call_that_rings():
    house = House()
    assert await house.handset.end() is None
    house.handset.rings()
    task = await house.begin(house.handset.end())
    await house.spoken()
    house.handset.rings()
    await asyncio.sleep_ms(0)
    await house.spoken()
    assert house.player.played == [("beep",), ("beep",)]
    assert not task.done()
    house.handset.ringing_stopped()
    assert await task is None


async def test_hanging_up_ends_whatever_was_asked_for():
    for ask in (
        lambda handset: handset.say("offer", 500),
        lambda handset: handset.ask("offer", 500, 10_000),
        lambda handset: handset.reorder(),
    ):
        house = House()
        task = await house.begin(ask(house.handset))
        house.handset.hang_up()
        try:
            await task
            raise AssertionError("not hung up")
        except HungUp:
            pass
    house.handset.rings()
    try:
        await house.handset.end()
        raise AssertionError("not hung up")
    except HungUp:
        pass


def texts(item):
    return item.text if isinstance(item, Text) else item


async def test_a_household_with_a_tty_reads_the_same_and_when_it_is_its_turn():
    house = House(texts=("build/no-such-pack",))
    task = await house.begin(house.handset.ask("offer", 500, 1))
    assert [texts(item) for item in house.player.played[0]] == ["\noffer 500 GA"]
    await house.spoken()
    assert await task is None
    task = await house.begin(house.handset.end())
    assert [texts(item) for item in house.player.played[1]] == ["\nSK"]
    await house.spoken()
    assert await task is None
