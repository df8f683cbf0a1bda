// Star57 on a WIZnet W5500-EVB-Pico.
#define MICROPY_HW_BOARD_NAME           "Star57 on W5500-EVB-Pico"

// 2 MB of flash: boot selector, its records, two slots for firmware, prompts, settings and calls (docs/slots.md).
#define MICROPY_HW_SLOT_BYTES           (592 * 1024)
#define MICROPY_HW_ROMFS_BYTES          (656 * 1024)
#define MICROPY_HW_FLASH_STORAGE_BYTES  (196 * 1024)

#if MICROPY_PY_NETWORK_WIZNET5K
#define MICROPY_PY_NETWORK                  (1)
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "star57"

#define MICROPY_HW_WIZNET_SPI_ID        (0)
#define MICROPY_HW_WIZNET_SPI_BAUDRATE  (20 * 1000 * 1000)
#define MICROPY_HW_WIZNET_SPI_SCK       (18)
#define MICROPY_HW_WIZNET_SPI_MOSI      (19)
#define MICROPY_HW_WIZNET_SPI_MISO      (16)
#define MICROPY_HW_WIZNET_PIN_CS        (17)
#define MICROPY_HW_WIZNET_PIN_RST       (20)
#define MICROPY_HW_WIZNET_PIN_INTN      (21)
#endif
