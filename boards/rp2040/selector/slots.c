#include "slots.h"

#include <stddef.h>

#include "crc.h"
#include "flash.h"
#include "layout.h"

#define FLASH_ADDRESS (0x10000000u)
#define RAM_ADDRESS (0x20000000u)
#define RAM_END (0x20042000u)
#define VECTORS_BYTES (4u * 48u)

// A record lies where its sequence number says, so that each has one place, and the two sectors take turns.
struct record {
    uint32_t magic;
    uint32_t sequence;
    struct slots_state state;
    uint8_t none;
    uint32_t crc;
};

#define RECORD_MAGIC (0x52373553u) // "S57R"
#define RECORDS (LAYOUT_RECORDS_BYTES / sizeof(struct record))
#define SECTOR_RECORDS (LAYOUT_SECTOR_BYTES / sizeof(struct record))
#define BLANK (0xffffffffu)

_Static_assert(sizeof(struct record) == 16, "a page is a whole number of records");
_Static_assert(sizeof(struct slot_header) <= SLOT_HEADER_BYTES, "the header has its place");

static uint32_t offset_of(uint32_t sequence) {
    return LAYOUT_RECORDS_OFFSET + sequence % RECORDS * sizeof(struct record);
}

static const struct record *record_at(uint32_t sequence) {
    return (const struct record *)flash_at(offset_of(sequence));
}

static bool is_whole(const struct record *record, uint32_t place) {
    return record->magic == RECORD_MAGIC && record->sequence % RECORDS == place && record->state.good < 2 &&
        record->crc == crc32((const uint8_t *)record, offsetof(struct record, crc));
}

static const struct record *newest(void) {
    const struct record *found = NULL;
    for (uint32_t place = 0; place < RECORDS; place++) {
        const struct record *record = record_at(place);
        if (is_whole(record, place) && (found == NULL || record->sequence > found->sequence)) {
            found = record;
        }
    }
    return found;
}

struct slots_state slots_read(void) {
    const struct record *record = newest();
    return record ? record->state : (struct slots_state){0, TRIAL_NONE, 0};
}

static bool is_blank(uint32_t sequence) {
    const uint32_t *words = (const uint32_t *)record_at(sequence);
    return (words[0] & words[1] & words[2] & words[3]) == BLANK;
}

// A power cut may have left half a record behind the newest one: its place is passed by. A sector is erased whenever it
// is entered, since one that looks erased may have been erased in part; the newest record is in the other one.
static uint32_t next_place(const struct record *last) {
    uint32_t sequence = last ? last->sequence + 1 : 0;
    while (sequence % SECTOR_RECORDS && !is_blank(sequence)) {
        sequence++;
    }
    if (sequence % SECTOR_RECORDS == 0) {
        flash_erase_sector(offset_of(sequence));
    }
    return sequence;
}

static void program(const struct record *record) {
    uint32_t words[LAYOUT_PAGE_BYTES / sizeof(uint32_t)];
    for (unsigned i = 0; i < LAYOUT_PAGE_BYTES / sizeof(uint32_t); i++) {
        words[i] = BLANK;
    }
    uint32_t offset = offset_of(record->sequence);
    uint32_t in_page = offset % LAYOUT_PAGE_BYTES;
    *(struct record *)((uint8_t *)words + in_page) = *record;
    flash_program_page(offset - in_page, (const uint8_t *)words);
}

bool slots_record(struct slots_state state) {
    struct record record = {RECORD_MAGIC, next_place(newest()), state, 0, 0};
    record.crc = crc32((const uint8_t *)&record, offsetof(struct record, crc));
    program(&record);
    return is_whole(record_at(record.sequence), record.sequence % RECORDS) &&
        record_at(record.sequence)->crc == record.crc;
}

bool slots_is_whole(unsigned slot) {
    uint32_t offset = LAYOUT_SLOT_OFFSET(slot);
    uint32_t address = FLASH_ADDRESS + offset;
    const struct slot_header *header = (const struct slot_header *)flash_at(offset);
    if (header->magic != SLOT_MAGIC || header->address != address || header->bytes > LAYOUT_SLOT_BYTES ||
        header->bytes < SLOT_HEADER_BYTES + VECTORS_BYTES) {
        return false;
    }
    const uint32_t *vectors = (const uint32_t *)flash_at(offset + SLOT_HEADER_BYTES);
    uint32_t stack = vectors[0], reset = vectors[1];
    if (stack <= RAM_ADDRESS || stack > RAM_END || stack % 8 || reset % 2 == 0 ||
        reset < address + SLOT_HEADER_BYTES || reset >= address + header->bytes) {
        return false;
    }
    uint32_t told = offsetof(struct slot_header, bytes);
    return header->crc == crc32(flash_at(offset + told), header->bytes - told);
}

// A trial is noted before it begins: noted in vain, the good one begins, and never a trial that nobody knows of.
static bool begin_trial(struct slots_state state) {
    state.trial = TRIAL_BEGUN;
    return slots_is_whole(!state.good) && slots_record(state);
}

int slots_choose(void) {
    struct slots_state state = slots_read();
    if (state.trial == TRIAL_WANTED && begin_trial(state)) {
        return !state.good;
    }
    if (state.trial != TRIAL_NONE) {
        state = (struct slots_state){state.good, TRIAL_NONE, 1};
        slots_record(state);
    }
    if (slots_is_whole(state.good)) {
        return state.good;
    }
    if (slots_is_whole(!state.good)) {
        state.good = !state.good;
        slots_record(state);
        return state.good;
    }
    return SLOT_NONE;
}
