# The two commands of this project are `make demo` and `make test`. Each sets up what it needs, once.
CACHE := $(CURDIR)/.cache
VENV := $(CACHE)/venv
PYTHON ?= python3
BOARD ?= pico
READY := $(VENV)/.ready $(CACHE)/bin/micropython

.PHONY: demo test check setup prompts bench soak clean image

demo: $(READY)
	@$(VENV)/bin/star57 demo --out build/demo

test: check
	@echo "star57: running the tests"
	@$(VENV)/bin/python -m pytest

check: $(READY)
	@echo "star57: checking style, types and the arrows of the house"
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy --no-error-summary
	@PYTHONPATH=firmware $(VENV)/bin/lint-imports --no-cache >build/arrows.txt || { cat build/arrows.txt; exit 1; }

soak: $(READY)
	@echo "star57: a million messages and many bursts through the parsers of caller ID (20 minutes or so)"
	@$(VENV)/bin/python -m tests.host.callerid.soak

image:
	@host_tools/rig/build_pico_image.sh $(CACHE)/pico $(BOARD)

setup: $(READY)

prompts: $(READY)
	@$(VENV)/bin/python -m host_tools.prompts.build

bench: $(READY)
	@$(VENV)/bin/python -m bench

$(VENV)/.ready: requirements.lock pyproject.toml
	@mkdir -p build
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "star57: Python 3.11 or newer is needed: apt install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "star57: Python's venv is missing: apt install python3-venv" >&2; exit 1; }
	@echo "star57: making a virtual environment with the pinned dependencies (a minute or so) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements.lock 2>build/setup.txt || { echo "star57: the Python package index cannot be reached from here: connect this machine to its network, then run make again (build/setup.txt has the details)" >&2; exit 1; }
	@$(VENV)/bin/pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 2>>build/setup.txt
	@touch $@

$(CACHE)/bin/micropython: host_tools/rig/fetch_micropython.sh
	@host_tools/rig/fetch_micropython.sh $(CACHE)
	@touch $@

clean:
	rm -rf build $(CACHE)
