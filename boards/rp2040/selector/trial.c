#include "trial.h"

#include <string.h>

#include "flash.h"
#include "layout.h"
#include "slots.h"

static enum slots_result record(uint8_t good, uint8_t trial) {
    return slots_record((struct slots_state){good, trial, 0}) ? SLOTS_DONE : SLOTS_WORN_OUT;
}

bool trial_goes_on(unsigned running) {
    return running != slots_read().good;
}

// What was noted of the idle slot goes before its firmware does.
enum slots_result trial_empty(unsigned running) {
    if (trial_goes_on(running)) {
        return SLOTS_REFUSED;
    }
    struct slots_state state = slots_read();
    if ((state.trial != TRIAL_NONE || state.returned) && record(running, TRIAL_NONE) != SLOTS_DONE) {
        return SLOTS_WORN_OUT;
    }
    flash_erase_sector(LAYOUT_SLOT_OFFSET(!running));
    return SLOTS_DONE;
}

// By way of RAM, since data may be frozen, and so in the flash itself.
enum slots_result trial_write(unsigned running, uint32_t offset, const uint8_t *data, uint32_t bytes) {
    if (trial_goes_on(running) || offset % LAYOUT_SECTOR_BYTES || offset > LAYOUT_SLOT_BYTES - LAYOUT_SECTOR_BYTES ||
        bytes == 0 || bytes > LAYOUT_SECTOR_BYTES) {
        return SLOTS_REFUSED;
    }
    uint8_t page[LAYOUT_PAGE_BYTES];
    uint32_t start = LAYOUT_SLOT_OFFSET(!running) + offset;
    flash_erase_sector(start);
    for (uint32_t at = 0; at < bytes; at += sizeof(page)) {
        uint32_t part = bytes - at < sizeof(page) ? bytes - at : sizeof(page);
        memset(page, 0xff, sizeof(page));
        memcpy(page, data + at, part);
        flash_program_page(start + at, page);
    }
    return memcmp(flash_at(start), data, bytes) == 0 ? SLOTS_DONE : SLOTS_WORN_OUT;
}

enum slots_result trial_want(unsigned running) {
    if (trial_goes_on(running) || !slots_is_whole(!running)) {
        return SLOTS_REFUSED;
    }
    return record(running, TRIAL_WANTED);
}

enum slots_result trial_confirm(unsigned running) {
    return trial_goes_on(running) ? record(running, TRIAL_NONE) : SLOTS_DONE;
}
