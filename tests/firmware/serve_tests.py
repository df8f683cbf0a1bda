"""Runs in MicroPython for a whole test session: reads "file function" lines, answers each in JSON."""

import asyncio
import io
import json
import sys

_modules = {}


def _load(path):
    if path not in _modules:
        namespace = {"__name__": path, "__file__": path}
        with open(path) as file:
            exec(compile(file.read(), path, "exec"), namespace)
        _modules[path] = namespace
    return _modules[path]


def _run(path, name):
    result = _load(path)[name]()
    if hasattr(result, "send"):
        asyncio.new_event_loop()
        asyncio.run(result)


def serve(answers):
    """Answers each line of standard input on the open stream `answers`, until the input ends."""
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        path, name = line.split()
        error = None
        try:
            _run(path, name)
        except Exception as fault:  # noqa: BLE001 - whatever a test raises is its result
            trace = io.StringIO()
            sys.print_exception(fault, trace)
            error = trace.getvalue()
        answers.write(json.dumps({"error": error}) + "\n")


serve(open(int(sys.argv[1]), "w"))
