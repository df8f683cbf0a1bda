// Star57 on a Raspberry Pi Pico.
#define MICROPY_HW_BOARD_NAME           "Star57 on Raspberry Pi Pico"

// 2 MB of flash: firmware at the bottom, the prompts behind it, settings and calls at the top.
#define MICROPY_HW_ROMFS_BYTES          (384 * 1024)
#define MICROPY_HW_FLASH_STORAGE_BYTES  (1024 * 1024)
