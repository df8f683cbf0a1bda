// MicroPython's module `_slots`: what firmware may do with the two slots. rp2040/slots.py is for everybody else.
// The slot that runs is never written to.

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/objarray.h"
#include "py/runtime.h"

#include "hardware/flash.h"
#include "hardware/sync.h"
#include "rp2_flash.h"

#include "flash.h"
#include "layout.h"
#include "slots.h"
#include "trial.h"

extern const uint8_t __flash_binary_start[];

const uint8_t *flash_at(uint32_t offset) {
    return (const uint8_t *)(XIP_BASE + offset);
}

// Nothing may read the flash meanwhile, no interrupt either. (This firmware leaves the second core at rest.)
void flash_erase_sector(uint32_t offset) {
    uint32_t state = save_and_disable_interrupts();
    flash_range_erase(offset, LAYOUT_SECTOR_BYTES);
    restore_interrupts(state);
    rp2_flash_set_timing();
    mp_event_handle_nowait();
}

void flash_program_page(uint32_t offset, const uint8_t *page) {
    uint32_t state = save_and_disable_interrupts();
    flash_range_program(offset, page, LAYOUT_PAGE_BYTES);
    restore_interrupts(state);
    rp2_flash_set_timing();
    mp_event_handle_nowait();
}

static unsigned running(void) {
    return __flash_binary_start != flash_at(LAYOUT_SLOT_OFFSET(0));
}

static mp_obj_t answer(enum slots_result result) {
    if (result != SLOTS_DONE) {
        mp_raise_OSError(result == SLOTS_REFUSED ? MP_EINVAL : MP_EIO);
    }
    return mp_const_none;
}

// running(): the slot that this firmware is in, 0 or 1.
static mp_obj_t slots_running(void) {
    return MP_OBJ_NEW_SMALL_INT(running());
}
static MP_DEFINE_CONST_FUN_OBJ_0(slots_running_obj, slots_running);

// trial(): whether it is on trial.
static mp_obj_t slots_trial(void) {
    return mp_obj_new_bool(trial_goes_on(running()));
}
static MP_DEFINE_CONST_FUN_OBJ_0(slots_trial_obj, slots_trial);

// returned(): whether the last trial came back.
static mp_obj_t slots_returned(void) {
    return mp_obj_new_bool(slots_read().returned);
}
static MP_DEFINE_CONST_FUN_OBJ_0(slots_returned_obj, slots_returned);

// begin(): empties the idle slot.
static mp_obj_t slots_begin(void) {
    return answer(trial_empty(running()));
}
static MP_DEFINE_CONST_FUN_OBJ_0(slots_begin_obj, slots_begin);

// write(offset, data): a sector of the idle slot, which is read back.
static mp_obj_t slots_write(mp_obj_t offset, mp_obj_t data_in) {
    mp_buffer_info_t data;
    mp_get_buffer_raise(data_in, &data, MP_BUFFER_READ);
    return answer(trial_write(running(), mp_obj_get_int_truncated(offset), data.buf, data.len));
}
static MP_DEFINE_CONST_FUN_OBJ_2(slots_write_obj, slots_write);

// idle(): what the idle slot holds, as a memoryview.
static mp_obj_t slots_idle(void) {
    return mp_obj_new_memoryview('B', LAYOUT_SLOT_BYTES, (void *)flash_at(LAYOUT_SLOT_OFFSET(!running())));
}
static MP_DEFINE_CONST_FUN_OBJ_0(slots_idle_obj, slots_idle);

// try_other(): the idle slot begins next.
static mp_obj_t slots_try_other(void) {
    return answer(trial_want(running()));
}
static MP_DEFINE_CONST_FUN_OBJ_0(slots_try_other_obj, slots_try_other);

// confirm(): the running slot is the good one.
static mp_obj_t slots_confirm(void) {
    return answer(trial_confirm(running()));
}
static MP_DEFINE_CONST_FUN_OBJ_0(slots_confirm_obj, slots_confirm);

static const mp_rom_map_elem_t slots_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__slots) },
    { MP_ROM_QSTR(MP_QSTR_ROOM_BYTES), MP_ROM_INT(LAYOUT_SLOT_BYTES) },
    { MP_ROM_QSTR(MP_QSTR_running), MP_ROM_PTR(&slots_running_obj) },
    { MP_ROM_QSTR(MP_QSTR_trial), MP_ROM_PTR(&slots_trial_obj) },
    { MP_ROM_QSTR(MP_QSTR_returned), MP_ROM_PTR(&slots_returned_obj) },
    { MP_ROM_QSTR(MP_QSTR_begin), MP_ROM_PTR(&slots_begin_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&slots_write_obj) },
    { MP_ROM_QSTR(MP_QSTR_idle), MP_ROM_PTR(&slots_idle_obj) },
    { MP_ROM_QSTR(MP_QSTR_try_other), MP_ROM_PTR(&slots_try_other_obj) },
    { MP_ROM_QSTR(MP_QSTR_confirm), MP_ROM_PTR(&slots_confirm_obj) },
};
static MP_DEFINE_CONST_DICT(slots_globals, slots_globals_table);

const mp_obj_module_t mp_module_slots = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&slots_globals,
};

MP_REGISTER_MODULE(MP_QSTR__slots, mp_module_slots);
