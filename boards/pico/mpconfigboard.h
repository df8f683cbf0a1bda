// Star57 on a Raspberry Pi Pico.
#define MICROPY_HW_BOARD_NAME           "Star57 on Raspberry Pi Pico"

// 2 MB of flash: boot selector, its records, two slots for firmware, prompts, settings and calls (docs/slots.md).
#define MICROPY_HW_SLOT_BYTES           (592 * 1024)
#define MICROPY_HW_ROMFS_BYTES          (656 * 1024)
#define MICROPY_HW_FLASH_STORAGE_BYTES  (196 * 1024)
