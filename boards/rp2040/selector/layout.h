// What lies where in the flash of a board with two firmware slots: offsets from its start, docs/slots.md.
#ifndef STAR57_LAYOUT_H
#define STAR57_LAYOUT_H

#include "mpconfigboard.h"

#define LAYOUT_PAGE_BYTES (256u)
#define LAYOUT_SECTOR_BYTES (4096u)

// The selector is in the first sector, behind the second stage of the chip's boot loader.
#define LAYOUT_RECORDS_OFFSET (LAYOUT_SECTOR_BYTES)
#define LAYOUT_RECORDS_BYTES (2 * LAYOUT_SECTOR_BYTES)
#define LAYOUT_SLOTS_OFFSET (LAYOUT_RECORDS_OFFSET + LAYOUT_RECORDS_BYTES)
#define LAYOUT_SLOT_BYTES ((uint32_t)MICROPY_HW_SLOT_BYTES)
#define LAYOUT_SLOT_OFFSET(slot) (LAYOUT_SLOTS_OFFSET + (slot) * LAYOUT_SLOT_BYTES)

#endif
