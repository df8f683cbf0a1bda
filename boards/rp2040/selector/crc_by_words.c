// By words, for the selector, which holds up every boot: 4 KB of RAM, 5 cycles a byte.

#include "crc.h"

#define POLYNOMIAL (0xedb88320u)

// tables[k][byte]: what a byte does to the CRC when k more bytes follow it.
static uint32_t tables[4][256];

void crc_prepare(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
        }
        tables[0][byte] = crc;
    }
    for (int k = 1; k < 4; k++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
        }
    }
}

uint32_t crc32(const uint8_t *data, uint32_t bytes) {
    uint32_t crc = 0xffffffff;
    const uint32_t *words = (const uint32_t *)data;
    for (; bytes >= 4; bytes -= 4) {
        crc ^= *words++;
        crc = tables[3][crc & 0xff] ^ tables[2][crc >> 8 & 0xff] ^ tables[1][crc >> 16 & 0xff] ^ tables[0][crc >> 24];
    }
    const uint8_t *rest = (const uint8_t *)words;
    while (bytes--) {
        crc = (crc >> 8) ^ tables[0][(crc ^ *rest++) & 0xff];
    }
    return ~crc;
}
