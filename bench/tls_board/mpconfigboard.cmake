# A Raspberry Pi Pico with TLS and without the firmware, for bench/tls_on_pico.py.
set(PICO_BOARD "pico")
set(PICO_PLATFORM "rp2040")
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
