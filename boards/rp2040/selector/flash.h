// What slots.c needs of a flash. The selector has one, MicroPython another, and the tests one in memory.
#ifndef STAR57_FLASH_H
#define STAR57_FLASH_H

#include <stdint.h>

// The bytes from an offset on.
const uint8_t *flash_at(uint32_t offset);

// Sets the bits of a sector.
void flash_erase_sector(uint32_t offset);

// Clears the bits of a page that are clear in `page`.
void flash_program_page(uint32_t offset, const uint8_t *page);

#endif
