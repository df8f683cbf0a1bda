"""Which programs have a port open, by a /proc that is a folder, and by the real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from host_tools.technician.port_holders import Holder, holders


def test_programs_are_named_by_what_they_run(tmp_path: Path) -> None:
    port = tmp_path / "ttyACM0"
    port.touch()
    for pid, words in (("12", b"/usr/bin/python3\0/usr/bin/star57\0gateway\0--port\0"), ("13", b"bash\0")):
        (tmp_path / "proc" / pid / "fd").mkdir(parents=True)
        (tmp_path / "proc" / pid / "cmdline").write_bytes(words)
    (tmp_path / "proc/12/fd/3").symlink_to(port)
    (tmp_path / "proc/13/fd/3").symlink_to("/dev/null")
    assert holders([str(port)], tmp_path) == {str(port): [Holder(12, "python3 star57 gateway")]}
    assert str(Holder(12, "star57 gateway")) == "star57 gateway (process 12)"


def test_a_real_program_is_found_by_any_name_of_the_port(tmp_path: Path) -> None:
    own, other = os.openpty()
    link = tmp_path / "by-id"
    link.symlink_to(os.ttyname(other))
    program = "import sys; port = open(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(link)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = holders([str(link)])
        process.communicate()
    os.close(own)
    os.close(other)
    assert [holder.pid for holder in found[str(link)]] == [process.pid]
    assert holders([str(tmp_path / "gone")]) == {str(tmp_path / "gone"): []}
