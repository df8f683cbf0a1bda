// A flash of RAM for slots.c and trial.c on this machine, whose power may go after any write to it, or within one.

#include <setjmp.h>
#include <string.h>

#include "flash.h"
#include "layout.h"
#include "slots.h"
#include "trial.h"

#define POWER_LOST (-2)

static uint8_t memory[LAYOUT_SLOT_OFFSET(2)] __attribute__((aligned(4096)));
static jmp_buf power_lost;
static int writes_left;
static uint32_t bytes_of_last;
static int writes;

const uint8_t *flash_at(uint32_t offset) {
    return memory + offset;
}

// How much of a write is done before the power goes, if it does.
static uint32_t done_of(uint32_t bytes) {
    bool goes = writes++ == writes_left;
    return goes && bytes_of_last < bytes ? bytes_of_last : bytes;
}

static void end_write(void) {
    if (writes > writes_left && writes_left >= 0) {
        longjmp(power_lost, 1);
    }
}

void flash_erase_sector(uint32_t offset) {
    memset(memory + offset, 0xff, done_of(LAYOUT_SECTOR_BYTES));
    end_write();
}

void flash_program_page(uint32_t offset, const uint8_t *page) {
    uint32_t done = done_of(LAYOUT_PAGE_BYTES);
    for (uint32_t i = 0; i < done; i++) {
        memory[offset + i] &= page[i];
    }
    end_write();
}

uint8_t *test_memory(void) {
    return memory;
}

uint32_t test_memory_bytes(void) {
    return sizeof(memory);
}

// Power for so many writes, and for so many bytes of the one behind them; fewer than none: for ever.
void test_power(int count, uint32_t bytes) {
    writes_left = count;
    bytes_of_last = bytes;
    writes = 0;
}

int test_writes(void) {
    return writes;
}

enum { BOOT, EMPTY, WRITE, WANT, CONFIRM };

// What one of them answers, or POWER_LOST.
int test_do(int what, unsigned running, uint32_t offset, const uint8_t *data, uint32_t bytes) {
    if (setjmp(power_lost)) {
        return POWER_LOST;
    }
    switch (what) {
        case BOOT:
            return slots_choose();
        case EMPTY:
            return trial_empty(running);
        case WRITE:
            return trial_write(running, offset, data, bytes);
        case WANT:
            return trial_want(running);
        default:
            return trial_confirm(running);
    }
}

int test_returned(void) {
    return slots_read().returned;
}

int test_whole(unsigned slot) {
    return slots_is_whole(slot);
}
