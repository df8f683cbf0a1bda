# The module `_slots` of an image for a slot (MicroPython's user C modules).
add_library(usermod_slots INTERFACE)
target_sources(usermod_slots INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/crc_by_halves.c
    ${CMAKE_CURRENT_LIST_DIR}/module.c
    ${CMAKE_CURRENT_LIST_DIR}/slots.c
    ${CMAKE_CURRENT_LIST_DIR}/trial.c
)
target_include_directories(usermod_slots INTERFACE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(usermod INTERFACE usermod_slots)
