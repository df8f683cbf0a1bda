// The line emulator on a Raspberry Pi Pico: 2 MB of flash, and nothing kept in it.
#define MICROPY_HW_BOARD_NAME           "Star57 line emulator on Raspberry Pi Pico"

#define MICROPY_HW_FLASH_STORAGE_BYTES  (1024 * 1024)
