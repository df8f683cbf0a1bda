# The two commands of this project are `make demo` and `make test`. Each sets up what it needs, once.
CACHE := $(CURDIR)/.cache
VENV := $(CACHE)/venv
PYTHON ?= python3
READY := $(VENV)/.ready $(CACHE)/bin/micropython
NODE := $(CACHE)/node
EMULATOR := $(NODE)/.ready
# One more than there are cores: a test that waits for a process of its own leaves its core to another.
WORKERS := $(shell echo $$(($$(nproc) + 1)))
# A board is asked for by `make demo BOARD=pico` or `make image BOARD=pico_w`; the demo's own runs in a process.
BOARD ?= $(if $(filter demo,$(MAKECMDGOALS)),emulated,pico)

.PHONY: demo test check setup prompts bench soak hil clean image emulator tls site

demo: $(READY) $(if $(filter emulated,$(BOARD)),,image emulator)
	@$(VENV)/bin/star57 demo --board $(BOARD) --out build/demo

test: check
	@if [ -d $(CACHE)/pico/sources ]; then $(MAKE) --silent image BOARD=pico; else \
		echo "star57: left out: the emulated Pico, for its image has not been built (make image: 2 minutes, 400 MB)"; fi
	@if [ -d $(CACHE)/tls/sources ]; then $(MAKE) --silent tls; else \
		echo "star57: left out: TLS, for MicroPython with it has not been built (make tls: a minute, 12 MB)"; fi
	@[ ! -f $(CACHE)/pico/pico.uf2 ] || $(MAKE) --silent emulator || \
		echo "star57: left out: stories on the emulated Pico, for rp2040js is not here"
	@command -v ngspice >/dev/null || echo "star57: left out: the analogue filters, for ngspice is not here (apt install ngspice)"
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || \
		echo "star57: left out: the service on PostgreSQL, for it is not here (apt install postgresql)"
	@PATH=$$PATH:/usr/sbin command -v mosquitto >/dev/null || \
		echo "star57: left out: MQTT for Home Assistant, for Mosquitto is not here (apt install mosquitto)"
	@command -v chromium >/dev/null || echo "star57: left out: the console in a browser, for Chromium is not here (apt install chromium)"
	@echo "star57: running the tests"
	@PYTHONDONTWRITEBYTECODE= $(VENV)/bin/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile \
		--no-loadscope-reorder $(if $(EVERY_DATABASE),--every-database) $(if $(THOROUGH),--thorough)

hil: $(READY) image emulator
	@$(MAKE) --silent image BOARD=line_emulator
	@echo "star57: every story on the emulated Pico, and on one that is wired to a line emulator (20 minutes or so)"
	@$(VENV)/bin/python -m pytest --hil tests/host/stories/test_on_a_pico.py tests/host/stories/test_on_a_board.py

check: $(READY)
	@echo "star57: checking style, types and the arrows of the house"
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy --no-error-summary
	@PYTHONPATH=firmware $(VENV)/bin/lint-imports --no-cache >build/arrows.txt || { cat build/arrows.txt; exit 1; }

soak: $(READY)
	@echo "star57: a million messages and many bursts through the parsers of caller ID (20 minutes or so)"
	@$(VENV)/bin/python -m tests.host.callerid.soak
	@echo "star57: power cuts, bad lines and networks, a service that is killed, hostile peers (40 minutes or so)"
	@$(VENV)/bin/python -m tests.host.faults.soak

image:
	@host_tools/rig/build_pico_image.sh $(CACHE)/pico $(BOARD)

tls:
	@host_tools/rig/build_tls_micropython.sh $(CACHE)/tls

emulator: $(EMULATOR)

site: $(READY)
	@rm -rf build/site_source && mkdir -p build/site_source
	@git ls-files -coz --exclude-standard -- '*.md' '*.png' '*.svg' '*.cir' '*.csv' LICENSE docs/vectors | xargs -0 cp --parents -t build/site_source
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --config-file docs/site/mkdocs.yml >build/site.txt 2>&1 || { cat build/site.txt; exit 1; }
	@echo "star57: the documents are in build/site/index.html"

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

$(EMULATOR): host_tools/rig/chip/package-lock.json
	@command -v npm >/dev/null || { echo "star57: Node and npm, which run the emulated Pico, are missing: apt install nodejs npm" >&2; exit 1; }
	@mkdir -p $(NODE) build
	@cp host_tools/rig/chip/package.json host_tools/rig/chip/package-lock.json $(NODE)
	@cd $(NODE) && npm ci --silent --no-audit --no-fund >$(CURDIR)/build/emulator.txt 2>&1 || { echo "star57: the Node package index cannot be reached from here: connect this machine to its network, then run make again (build/emulator.txt has the details)" >&2; exit 1; }
	@touch $@

clean:
	rm -rf build $(CACHE)
