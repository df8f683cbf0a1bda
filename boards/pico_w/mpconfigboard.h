// Star57 on a Raspberry Pi Pico W.
#define MICROPY_HW_BOARD_NAME           "Star57 on Raspberry Pi Pico W"

// 2 MB of flash: boot selector, its records, two slots for firmware, prompts, settings and calls (docs/slots.md). With the
// wireless chip's own firmware one does not fit into a slot: MicroPython's own build has one firmware and no selector.
#define MICROPY_HW_SLOT_BYTES           (592 * 1024)
#define MICROPY_HW_ROMFS_BYTES          (656 * 1024)
#define MICROPY_HW_FLASH_STORAGE_BYTES  (196 * 1024)

#if MICROPY_PY_NETWORK_CYW43
#define MICROPY_PY_NETWORK                  (1)
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "star57"

#define CYW43_USE_SPI                   (1)
#define CYW43_LWIP                      (1)
#define CYW43_GPIO                      (1)
#define CYW43_SPI_PIO                   (1)

// The LED is a pin of the wireless chip, and the pins that lead there stay as they are when MicroPython restarts.
#define MICROPY_HW_PIN_EXT_COUNT        CYW43_WL_GPIO_COUNT
int mp_hal_is_pin_reserved(int n);
#define MICROPY_HW_PIN_RESERVED(i)      mp_hal_is_pin_reserved(i)
#endif
