// Two firmware slots: which one is good, which one is on trial, and which one begins. docs/slots.md.
#ifndef STAR57_SLOTS_H
#define STAR57_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#define SLOT_NONE (-1)

enum trial {
    TRIAL_NONE,
    // The other slot begins next.
    TRIAL_WANTED,
    // It has begun. If nobody confirms it, the good one begins next.
    TRIAL_BEGUN,
};

struct slots_state {
    uint8_t good;
    uint8_t trial;
    // The last trial came back.
    uint8_t returned;
};

// What a slot's first 256 bytes begin with; the vector table of its firmware is behind them. The build writes it.
struct slot_header {
    uint32_t magic;
    uint32_t crc;     // CRC-32 of all that comes after it
    uint32_t bytes;   // of the slot that count, with these 256
    uint32_t address; // where the slot must be, since its firmware is linked for there
};

#define SLOT_MAGIC (0x46373553u) // "S57F"
#define SLOT_HEADER_BYTES (256u)

// The newest whole record; without one slot 0 is good.
struct slots_state slots_read(void);

// Makes this the newest record. Whatever moment the power goes, the newest is this one or the one before.
bool slots_record(struct slots_state state);

// Whether all of a firmware is in the slot, as it was built, and for this slot.
bool slots_is_whole(unsigned slot);

// The slot that begins now; what it decides is recorded. SLOT_NONE: neither is whole.
int slots_choose(void);

#endif
