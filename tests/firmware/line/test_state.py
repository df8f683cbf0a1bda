"""What the pair is doing: every way from one state to another."""

from star57.line.state import DIALLING, DIALOGUE, IDLE, IN_CALL, RINGING, LineState


def after(*happened):
    state = LineState()
    for name in happened:
        if name == "dialogue_ended":
            state.dialogue_ended(False)
        else:
            getattr(state, name)()
    return state.current


def test_each_way():
    for happened, current in (
        ((), IDLE),
        (("ring_started",), RINGING),
        (("ring_started", "ringing_stopped"), IDLE),
        (("ring_started", "off_hook"), IN_CALL),
        (("off_hook",), DIALLING),
        (("off_hook", "on_hook"), IDLE),
        (("off_hook", "dialogue_started"), DIALOGUE),
        (("off_hook", "dialogue_started", "dialogue_ended"), DIALLING),
        (("off_hook", "dialogue_started", "on_hook"), IDLE),
        (("off_hook", "dialogue_started", "ring_started"), DIALOGUE),
        (("off_hook", "dialogue_started", "ringing_stopped"), DIALOGUE),
        (("off_hook", "ring_started"), DIALLING),
        (("off_hook", "took_waiting_call"), IN_CALL),
        (("off_hook", "dialogue_started", "took_waiting_call"), DIALOGUE),
    ):
        assert after(*happened) == current, happened


def test_only_dialling_leads_into_the_dialogue():
    for happened in ((), ("ring_started",), ("ring_started", "off_hook"), ("off_hook", "on_hook")):
        assert after(*happened, "dialogue_started") != DIALOGUE


def test_the_end_of_the_dialogue_answers_a_line_that_rings():
    state = LineState()
    state.off_hook()
    state.dialogue_started()
    assert state.dialogue_ended(True) == IN_CALL


def test_the_exchange_sees_the_dialogue_on_hook():
    state = LineState()
    state.off_hook()
    assert state.off_hook_at_exchange
    state.dialogue_started()
    assert not state.off_hook_at_exchange
