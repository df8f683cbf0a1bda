// CRC-32 as zlib has it (polynomial 0x04c11db7, reflected).
#ifndef STAR57_CRC_H
#define STAR57_CRC_H

#include <stdint.h>

// `data` lies at a word's start.
uint32_t crc32(const uint8_t *data, uint32_t bytes);

// Before the first crc32() of crc_by_words.c.
void crc_prepare(void);

#endif
