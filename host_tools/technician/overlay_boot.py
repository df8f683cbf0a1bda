"""The board's /boot.py: puts the modules of /overlay in the place of the image's own."""

from __future__ import annotations

FOLDER = "/overlay"
LIST = f"{FOLDER}/modules.txt"
"""The image that they are for, and a line for each: its name, its source's hash, and its file."""

BOOT_FILE = "/boot.py"
SIGN = "# Star57's own: star57 flash --files wrote it, and takes it away again."

# Of a package that is frozen all modules are: a file that lies in the file system is never looked for, so it has to be
# there before the others are imported. A firmware that has failed with them (rp2040/resets.py leaves its mark in the
# watchdog's scratch register) gets its own modules back until it begins anew for another reason.
PROGRAM = f"""{SIGN}
def _overlay():
    import sys

    import image

    if sys.platform == "rp2":
        import machine

        if machine.mem32[0x4005800C] == 0x0057FA17:
            return
    try:
        with open("{LIST}") as file:
            head, *rows = file.read().splitlines()
    except OSError:
        return
    if head != image.VERSION + " " + image.COMMIT:
        return
    before = set(sys.modules)
    sys.path.insert(0, "{FOLDER}")
    try:
        for row in rows:
            name, _, file = row.split()
            module = __import__(file)
            del sys.modules[file]
            sys.modules[name] = module
            parent, _, leaf = name.rpartition(".")
            if parent:
                setattr(__import__(parent, None, None, (leaf,)), leaf, module)
    except Exception as fault:
        for name in set(sys.modules) - before:
            del sys.modules[name]
        sys.print_exception(fault)
    sys.path.pop(0)


_overlay()
del _overlay
"""

REMOVE_OVERLAYS = f"""
import os
def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass
_remove("{LIST}")
try:
    for name in os.listdir("{FOLDER}"):
        os.remove("{FOLDER}/" + name)
    os.rmdir("{FOLDER}")
except OSError:
    pass
try:
    with open("{BOOT_FILE}") as file:
        is_own = file.readline().strip() == "{SIGN}"
    if is_own:
        os.remove("{BOOT_FILE}")
except OSError:
    pass
"""
"""A program for the board: its image's own modules run again."""
