// What running firmware does with the idle slot: writes it, has it tried, and confirms itself. docs/slots.md.
#ifndef STAR57_TRIAL_H
#define STAR57_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

enum slots_result {
    SLOTS_DONE,
    // The running firmware is on trial itself, or what was asked for does not fit.
    SLOTS_REFUSED,
    // The flash did not take what was written.
    SLOTS_WORN_OUT,
};

// `running`: the slot of the firmware that asks, here and below.
bool trial_goes_on(unsigned running);

// Empties the idle slot, and forgets that an earlier trial came back.
enum slots_result trial_empty(unsigned running);

// Puts data, a sector at the most, at a sector's start in the idle slot.
enum slots_result trial_write(unsigned running, uint32_t offset, const uint8_t *data, uint32_t bytes);

// The idle slot begins next; it must hold a whole firmware for its place.
enum slots_result trial_want(unsigned running);

// The running slot is the good one.
enum slots_result trial_confirm(unsigned running);

#endif
