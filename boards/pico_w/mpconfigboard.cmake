# Star57 on a Raspberry Pi Pico W.
set(PICO_BOARD "pico_w")
set(PICO_PLATFORM "rp2040")
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)

# The project's own build links the firmware for each of two slots.
if(STAR57_SLOTS)
    set(USER_C_MODULES ${MICROPY_BOARD_DIR}/../rp2040/selector/micropython.cmake)
endif()

# MicroPython's own tree has the wireless chip's driver and the TCP/IP stack; Debian's source package has neither.
if(EXISTS ${MICROPY_DIR}/lib/cyw43-driver/src/cyw43.h AND EXISTS ${MICROPY_DIR}/lib/lwip/src)
    set(MICROPY_PY_LWIP ON)
    set(MICROPY_PY_NETWORK_CYW43 ON)
endif()
