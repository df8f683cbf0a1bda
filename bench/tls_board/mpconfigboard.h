// A Raspberry Pi Pico with TLS and without the firmware, for bench/tls_on_pico.py.
#define MICROPY_HW_BOARD_NAME           "TLS on Raspberry Pi Pico"
#define MICROPY_HW_FLASH_STORAGE_BYTES  (1024 * 1024)

// As on a board with a network.
#define MICROPY_PY_SSL                  (1)
