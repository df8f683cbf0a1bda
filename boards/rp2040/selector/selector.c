// The boot selector: what the RP2040 runs first, and which starts the firmware of one of two slots. docs/slots.md.
//
// It touches no pin, no watchdog and none of its scratch registers: what comes after it finds the chip as after a
// reset, but for the crystal oscillator, which runs.

#include "hardware/regs/addressmap.h"
#include "hardware/regs/m0plus.h"
#include "hardware/structs/clocks.h"
#include "hardware/structs/pll.h"
#include "hardware/structs/resets.h"
#include "hardware/structs/scb.h"
#include "hardware/structs/xosc.h"

#include "crc.h"
#include "flash.h"
#include "layout.h"
#include "slots.h"

#define ROM_CODE(first, second) ((first) | (second) << 8)
#define ROM_FLASH_ATTACH ROM_CODE('I', 'F')
#define ROM_FLASH_LEAVE_XIP ROM_CODE('E', 'X')
#define ROM_FLASH_ERASE ROM_CODE('R', 'E')
#define ROM_FLASH_PROGRAM ROM_CODE('R', 'P')
#define ROM_FLASH_FLUSH ROM_CODE('F', 'C')
#define ROM_USB_BOOT ROM_CODE('U', 'B')

#define ERASE_64_KB (0xd8)
#define BLOCK_BYTES (1u << 16)
#define BOOT2_WORDS (64)
// 6 ms at 12 MHz, in 256 cycles, as the SDK waits for a crystal.
#define XOSC_STARTUP (6 * 47)
// 1500 MHz, and 125 MHz behind both dividers.
#define PLL_MULTIPLIER (125)
#define PLL_DIVIDERS (6u << PLL_PRIM_POSTDIV1_LSB | 2u << PLL_PRIM_POSTDIV2_LSB)

#define IN_RAM(name) __attribute__((noinline, section(".in_ram." #name))) name

typedef void (*flash_mode_function)(void);
typedef void (*flash_erase_function)(uint32_t offset, uint32_t bytes, uint32_t block_bytes, uint8_t command);
typedef void (*flash_program_function)(uint32_t offset, const uint8_t *data, uint32_t bytes);

// Of the boot ROM: addresses of its table of functions, and of the one that finds a function by its two letters.
extern const volatile uint16_t rom_function_table, rom_table_lookup;
extern uint32_t in_ram_start[], in_ram_end[], in_ram_source[];

static uint32_t boot2[BOOT2_WORDS];

static void *rom_function(uint32_t code) {
    void *(*look_up)(uintptr_t, uint32_t) = (void *(*)(uintptr_t, uint32_t))(uintptr_t)rom_table_lookup;
    return look_up(rom_function_table, code);
}

const uint8_t *flash_at(uint32_t offset) {
    return (const uint8_t *)(XIP_BASE + offset);
}

// Nothing can be read from the flash while it is written to, no instruction either: this is in RAM. Boot2, from its
// copy, makes the flash readable again. Without a page it erases a sector.
static void IN_RAM(write_flash)(uint32_t offset, const uint8_t *page, flash_mode_function attach,
    flash_mode_function leave_xip, flash_erase_function erase, flash_program_function write,
    flash_mode_function flush) {
    attach();
    leave_xip();
    if (page) {
        write(offset, page, LAYOUT_PAGE_BYTES);
    } else {
        erase(offset, LAYOUT_SECTOR_BYTES, BLOCK_BYTES, ERASE_64_KB);
    }
    flush();
    ((flash_mode_function)((uintptr_t)boot2 | 1))();
}

static void change_flash(uint32_t offset, const uint8_t *page) {
    for (unsigned i = 0; i < BOOT2_WORDS; i++) {
        boot2[i] = ((const volatile uint32_t *)XIP_BASE)[i];
    }
    write_flash(offset, page, rom_function(ROM_FLASH_ATTACH), rom_function(ROM_FLASH_LEAVE_XIP),
        rom_function(ROM_FLASH_ERASE), rom_function(ROM_FLASH_PROGRAM), rom_function(ROM_FLASH_FLUSH));
}

void flash_erase_sector(uint32_t offset) {
    change_flash(offset, 0);
}

void flash_program_page(uint32_t offset, const uint8_t *page) {
    change_flash(offset, page);
}

// At the ring oscillator's 6 MHz or so it would take a second to read a slot: 125 MHz instead, from the crystal.
static void hurry(void) {
    xosc_hw->ctrl = XOSC_CTRL_FREQ_RANGE_VALUE_1_15MHZ;
    xosc_hw->startup = XOSC_STARTUP;
    xosc_hw->ctrl = XOSC_CTRL_FREQ_RANGE_VALUE_1_15MHZ | XOSC_CTRL_ENABLE_VALUE_ENABLE << XOSC_CTRL_ENABLE_LSB;
    while (!(xosc_hw->status & XOSC_STATUS_STABLE_BITS)) {
    }
    hw_clear_bits(&resets_hw->reset, RESETS_RESET_PLL_SYS_BITS);
    while (!(resets_hw->reset_done & RESETS_RESET_PLL_SYS_BITS)) {
    }
    pll_sys_hw->cs = 1;
    pll_sys_hw->fbdiv_int = PLL_MULTIPLIER;
    hw_clear_bits(&pll_sys_hw->pwr, PLL_PWR_PD_BITS | PLL_PWR_VCOPD_BITS);
    while (!(pll_sys_hw->cs & PLL_CS_LOCK_BITS)) {
    }
    pll_sys_hw->prim = PLL_DIVIDERS;
    hw_clear_bits(&pll_sys_hw->pwr, PLL_PWR_POSTDIVPD_BITS);
    hw_set_bits(&clocks_hw->clk[clk_sys].ctrl, CLOCKS_CLK_SYS_CTRL_SRC_BITS);
    while (clocks_hw->clk[clk_sys].selected != 2) {
    }
}

static void slow_down(void) {
    hw_clear_bits(&clocks_hw->clk[clk_sys].ctrl, CLOCKS_CLK_SYS_CTRL_SRC_BITS);
    while (clocks_hw->clk[clk_sys].selected != 1) {
    }
    hw_set_bits(&resets_hw->reset, RESETS_RESET_PLL_SYS_BITS);
}

static _Noreturn void start(unsigned slot) {
    const uint32_t *vectors = (const uint32_t *)flash_at(LAYOUT_SLOT_OFFSET(slot) + SLOT_HEADER_BYTES);
    scb_hw->vtor = (uintptr_t)vectors;
    __asm volatile("msr msp, %0\n bx %1" : : "r"(vectors[0]), "r"(vectors[1]));
    __builtin_unreachable();
}

// Neither slot has a firmware: the board shows itself as a drive, as with BOOTSEL held down.
static _Noreturn void wait_for_image(void) {
    ((void (*)(uint32_t, uint32_t))rom_function(ROM_USB_BOOT))(0, 0);
    for (;;) {
    }
}

_Noreturn void reset(void) {
    for (unsigned i = 0; in_ram_start + i < in_ram_end; i++) {
        in_ram_start[i] = in_ram_source[i];
    }
    hurry();
    crc_prepare();
    int slot = slots_choose();
    slow_down();
    if (slot == SLOT_NONE) {
        wait_for_image();
    }
    start(slot);
}

// Faults end in the boot ROM's own vector, which stops: the watchdog, where it runs, begins anew.
__attribute__((section(".vectors"), used)) static void (*const vectors[])(void) = {
    (void (*)(void))(SRAM_END),
    reset,
};
