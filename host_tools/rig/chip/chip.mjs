// One RP2040 with its flash: rp2040js, mended where it differs from the chip, run to exact moments of emulated time.
//
// Mended: the UART (uart.mjs); the ADC's round robin, which stays on one input; DREQ of a PWM slice, which is never taken
// back, and the register that enables slices, which reads as 0; the flash, which rp2040js neither erases nor programs; random bits. Not modelled: misses of the flash cache,
// contention on the bus, the 15 cycles into and out of an interrupt: emulated time is a lower bound.

import { createRequire } from 'node:module';

import { MendedUart } from './uart.mjs';

const require = createRequire(process.env.STAR57_NODE_MODULES + '/');
const { Simulator, USBCDC } = require('rp2040js');

export const FLASH_BYTES = 2 << 20;
const FLASH_START = 0x10000000;
const RAM_START = 0x20000000;
const SECTOR_BYTES = 4096;
const PAGE_BYTES = 256;
const PIN_HIGH = 1;

// The boot ROM's table of functions (RP2040 data sheet 2.8.3), and three of them.
const ROM_FUNCTION_TABLE = 0x14;
const ROM_ERASE = 0x4552; // "RE"
const ROM_PROGRAM = 0x5052; // "RP"
const ROM_BOOT_LOADER = 0x4255; // "UB"
const BREAK_ERASE = 0xe5;
const BREAK_PROGRAM = 0xe6;
const BREAK_BOOT_LOADER = 0xe7;
const BX_LR = 0x4770;

const PWM_COMPARE = 0x0c;
const DREQ_PWM_WRAP = 24;
const ADC_INPUT_SHIFT = 12;
const ROSC = 0x40060;
const ROSC_RANDOM_BIT = 0x1c;
const WATCHDOG = 0x40058;

export class Chip {
  // options: bootrom (Uint32Array), flash (Uint8Array, FLASH_BYTES; it is written to), seed, eraseNs (a sector),
  // programNs (a page), carrierSlices: PWM slices whose edges nobody watches; usb: whether a host is on it.
  constructor(options) {
    this.options = options;
    this.flash = options.flash;
    this.seed = options.seed;
    this.powered = false;
    this.inBootLoader = false;
    this.isConnected = false;
    this.startedNs = 0;
    this.busyNs = 0;
    this.resets = 0;
    this.inputs = new Map();
    this.readAdc = () => 2048;
    this.onCompare = () => {};
    this.onUartByte = () => {};
    this.onConsole = () => {};
    this.onPin = () => {};
    this.onReset = () => {};
    this.erases = 0;
    this.programs = 0;
  }

  // atNs: of the time that all chips share.
  powerOn(atNs) {
    this.powered = true;
    this.inBootLoader = false;
    this.begin(atNs, new Uint32Array(8), 0);
  }

  powerOff() {
    this.powered = false;
    this.mcu = null;
  }

  // Runs until that moment of shared time.
  run(untilNs) {
    while (this.powered && this.nowNs < untilNs) {
      this.runClock(untilNs - this.startedNs);
      if (this.resetReason) {
        const { scratchData } = this.mcu.peripherals[WATCHDOG];
        this.resets++;
        this.begin(this.nowNs, scratchData, this.resetReason);
        this.onReset();
      }
    }
  }

  get nowNs() {
    return this.startedNs + this.clock.nanosCounter;
  }

  setPin(pin, level) {
    this.inputs.set(pin, level);
    if (this.powered) this.mcu.gpio[pin].setInputValue(!!level);
  }

  // Whether the chip drives the pin high.
  drives(pin) {
    return this.powered && this.mcu.gpio[pin].value === PIN_HIGH;
  }

  receiveUart(byte) {
    if (this.powered) this.uart.receive(byte);
  }

  get uartByteNs() {
    return this.uart.byteNs;
  }

  at(delayNs, action) {
    this.clock.createAlarm(action).schedule(delayNs);
  }

  begin(atNs, scratch, reason) {
    this.startedNs = atNs;
    this.resetReason = 0;
    this.stalledToNs = 0;
    const simulator = new Simulator();
    this.mcu = simulator.rp2040;
    this.clock = simulator.clock;
    this.mcu.logger = { debug() {}, info() {}, warn() {}, error: (name, text) => process.stderr.write(`${name}: ${text}\n`) };
    this.followClock();
    this.mcu.loadBootrom(this.options.bootrom);
    this.mcu.flash.set(this.flash);
    this.mendFlash();
    this.mendAdc();
    this.mendPwm();
    this.mendRandom();
    this.mendWatchdog(scratch, reason);
    this.uart = new MendedUart(this.mcu.uart[0]);
    this.uart.onByte = (byte) => this.onUartByte(byte);
    for (const pin of this.mcu.gpio) pin.addListener((state) => this.onPin(pin.index, state === PIN_HIGH));
    for (const [pin, level] of this.inputs) this.mcu.gpio[pin].setInputValue(!!level);
    if (this.options.usb) this.attachConsole();
    this.mcu.core.PC = FLASH_START;
  }

  // The firmware may change its clock; rp2040js reckons with it everywhere but in the processor's own time.
  followClock() {
    const follow = () => {
      this.cycleNs = 1e9 / this.mcu.clkSys;
    };
    this.mcu.clockListeners.add(follow);
    follow();
  }

  runClock(untilNs) {
    const { clock } = this;
    const { core } = this.mcu;
    while (clock.nanosCounter < untilNs && !this.resetReason && this.powered) {
      if (this.stalledToNs > clock.nanosCounter) {
        const ns = Math.min(this.stalledToNs, untilNs) - clock.nanosCounter;
        this.busyNs += ns;
        clock.tick(ns);
      } else if (core.waiting) {
        clock.tick(Math.min(clock.nanosToNextAlarm || this.cycleNs, untilNs - clock.nanosCounter));
      } else {
        const ns = core.executeInstruction() * this.cycleNs;
        this.busyNs += ns;
        const alarm = clock.nextAlarm;
        if (alarm && alarm.nanos <= clock.nanosCounter + ns) clock.tick(ns);
        else clock.nanosCounter += ns;
      }
    }
  }

  // The boot ROM's two functions that write to flash become breakpoints: the flash changes at once, and then the processor
  // stands still for as long as the flash is busy, while DMA goes on, as on the chip. So does the one that begins the boot loader,
  // from which the chip comes back by its power.
  mendFlash() {
    const { mcu } = this;
    const rom = new DataView(mcu.bootrom.buffer);
    let entry = rom.getUint16(ROM_FUNCTION_TABLE, true);
    for (; rom.getUint16(entry, true); entry += 4) {
      const name = rom.getUint16(entry, true);
      const address = rom.getUint16(entry + 2, true) & ~1;
      const code = { [ROM_ERASE]: BREAK_ERASE, [ROM_PROGRAM]: BREAK_PROGRAM, [ROM_BOOT_LOADER]: BREAK_BOOT_LOADER }[name];
      if (code) {
        rom.setUint16(address, 0xbe00 | code, true);
        rom.setUint16(address + 2, BX_LR, true);
      }
    }
    mcu.onBreak = (code) => this.writeFlash(code, mcu.core.registers);
  }

  writeFlash(code, [offset, second, third]) {
    const { eraseNs, programNs } = this.options;
    if (code === BREAK_ERASE) {
      this.change(offset, new Uint8Array(second).fill(0xff));
      this.erases += second / SECTOR_BYTES;
      this.stall((second / SECTOR_BYTES) * eraseNs);
    } else if (code === BREAK_PROGRAM) {
      const start = second - RAM_START;
      const data = this.mcu.sram.slice(start, start + third);
      this.change(offset, data.map((byte, i) => byte & this.flash[offset + i]));
      this.programs += third / PAGE_BYTES;
      this.stall((third / PAGE_BYTES) * programNs);
    } else if (code === BREAK_BOOT_LOADER) {
      this.powerOff();
      this.inBootLoader = true;
    }
  }

  change(offset, data) {
    this.flash.set(data, offset);
    this.mcu.flash.set(data, offset);
  }

  // The processor stands still, and its interrupts with it; the line goes on, also past the end of what is run now.
  stall(ns) {
    this.stalledToNs = this.clock.nanosCounter + ns;
  }

  mendAdc() {
    const { adc } = this.mcu;
    Object.defineProperty(adc, 'activeChannel', {
      get: () => (adc.cs >> ADC_INPUT_SHIFT) & 7,
      set: (input) => {
        adc.cs = (adc.cs & ~(7 << ADC_INPUT_SHIFT)) | (input << ADC_INPUT_SHIFT);
      },
    });
    adc.onADCRead = (input) => {
      adc.currentChannel = input;
      adc.channelValues[input] = this.readAdc(input, this.nowNs);
      adc.sampleAlarm.schedule(adc.sampleTime * 1000);
    };
  }

  mendPwm() {
    const { pwm, dma } = this.mcu;
    pwm.channelInterrupt = (slice) => {
      pwm.intRaw |= 1 << slice;
      pwm.checkInterrupts();
      dma.setDREQ(DREQ_PWM_WRAP + slice);
      dma.clearDREQ(DREQ_PWM_WRAP + slice);
    };
    const enable = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(pwm.channels[0]), 'en').set;
    for (const slice of pwm.channels) {
      slice.alarmA.enable = false;
      slice.alarmB.enable = false;
      if (this.options.carrierSlices.includes(slice.index)) slice.alarmBottom.enable = false;
      Object.defineProperty(slice, 'en', {
        get: () => slice.csr & 1,
        set: (value) => enable.call(slice, value),
      });
      const write = slice.writeRegister.bind(slice);
      slice.writeRegister = (offset, value) => {
        if (offset === PWM_COMPARE) this.onCompare(slice.index, value & 0xffff, this.nowNs);
        write(offset, value);
      };
    }
  }

  // The ring oscillator's random bit, from a seed: mulberry32, by one bit.
  mendRandom() {
    const { peripherals } = this.mcu;
    const rosc = peripherals[ROSC];
    const own = rosc.readUint32.bind(rosc);
    rosc.readUint32 = (offset) => {
      if (offset !== ROSC_RANDOM_BIT) return own(offset);
      this.seed = (this.seed + 0x6d2b79f5) | 0;
      let bits = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
      bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
      return (bits >>> 14) & 1;
    };
  }

  mendWatchdog(scratch, reason) {
    const watchdog = this.mcu.peripherals[WATCHDOG];
    watchdog.scratchData.set(scratch);
    watchdog.reason = reason;
    watchdog.onWatchdogTrigger = () => {
      this.resetReason = watchdog.reason;
      watchdog.alarm.enable = false;
    };
  }

  // A host on USB. rp2040js answers its read of a console with an empty packet, again and again, which keeps the processor
  // from ever resting: here a read waits until there is something.
  attachConsole() {
    const usb = this.mcu.usbCtrl;
    const console = new USBCDC(usb);
    this.typed = [];
    this.awaited = 0;
    const answerOther = usb.onEndpointRead;
    usb.onEndpointRead = (endpoint, size) => {
      if (endpoint !== console.outEndpoint) {
        answerOther(endpoint, size);
        return;
      }
      this.awaited = size;
      this.answerConsole();
    };
    console.onSerialData = (data) => this.onConsole(data);
    this.isConnected = false;
    this.isOpen = true;
    console.onDeviceConnected = () => {
      this.isConnected = true;
    };
    this.tellOpen = (isOpen) => console.cdcSetControlLineState(isOpen ? 3 : 0);
    this.consoleEndpoint = () => console.outEndpoint;
  }

  answerConsole() {
    if (!this.awaited || !this.typed.length) return;
    const data = Uint8Array.from(this.typed.splice(0, this.awaited));
    this.awaited = 0;
    this.mcu.usbCtrl.endpointReadDone(this.consoleEndpoint(), data);
  }

  // Tells the chip whether a program has the port open, as the lines DTR and RTS do.
  open(isOpen) {
    if (!this.isConnected || isOpen === this.isOpen) return;
    this.isOpen = isOpen;
    this.tellOpen(isOpen);
  }

  // Bytes for the console; they go as the chip takes them.
  type(bytes) {
    this.typed.push(...bytes);
    this.answerConsole();
  }
}
