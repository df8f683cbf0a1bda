# Star57 on a Raspberry Pi Pico.
set(PICO_BOARD "pico")
set(PICO_PLATFORM "rp2040")
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)

# The project's own build links the firmware for each of two slots.
if(STAR57_SLOTS)
    set(USER_C_MODULES ${MICROPY_BOARD_DIR}/../rp2040/selector/micropython.cmake)
endif()
