# Star57 on a WIZnet W5500-EVB-Pico. The SDK knows its sister with the W5100S, which is wired alike.
set(PICO_BOARD "wiznet_w5100s_evb_pico")
set(PICO_PLATFORM "rp2040")
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)

# The project's own build links the firmware for each of two slots.
if(STAR57_SLOTS)
    set(USER_C_MODULES ${MICROPY_BOARD_DIR}/../rp2040/selector/micropython.cmake)
endif()

# MicroPython's own tree has the Ethernet chip's driver and the TCP/IP stack; Debian's source package has neither.
if(EXISTS ${MICROPY_DIR}/lib/wiznet5k/README.md AND EXISTS ${MICROPY_DIR}/lib/lwip/src)
    set(MICROPY_PY_NETWORK_WIZNET5K W5500)
    set(MICROPY_PY_LWIP 1)
endif()
