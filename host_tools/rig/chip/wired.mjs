// Two chips on a table: a board under test and a line emulator, wired as boards/pico/WIRING.md shows ("Two boards").

import { Chip } from './chip.mjs';

const SAMPLE_NS = 125_000;
const STEP_NS = 31_250;
const FULL_SCALE_DUTIES = 2000;
const CODES = 4096;
// Slices of the outputs: GP2 of both, GP4 of the line emulator. Inputs: ADC 0 and 1 of the board, ADC 0 of the emulator.
const FIRST_OUTPUT = 1;
const SECOND_OUTPUT = 2;
// Wires between namesakes, from the emulator to the board, and back.
const TO_BOARD = [6, 7];
const RELAY = 8;
// Of an audio wire's filter; more than a step, so that what the other chip did until then is known, to the moment.
const DELAY_NS = 2 * STEP_NS;

// An audio wire: a PWM's duty at one end, an ADC at the other, which asks for ever later moments.
class AudioWire {
  constructor() {
    this.changes = [[0, FULL_SCALE_DUTIES / 2]];
  }

  set(duty, atNs) {
    this.changes.push([atNs + DELAY_NS, duty]);
  }

  code(atNs) {
    while (this.changes.length > 1 && this.changes[1][0] <= atNs) this.changes.shift();
    return Math.min(CODES - 1, Math.round((this.changes[0][1] * CODES) / FULL_SCALE_DUTIES));
  }
}

export class WiredBench {
  constructor(options, boardFlash, emulatorFlash) {
    const slices = { carrierSlices: [FIRST_OUTPUT, SECOND_OUTPUT] };
    this.nowNs = 0;
    this.board = new Chip({ ...options, ...slices, flash: boardFlash, usb: options.boardUsb });
    this.emulator = new Chip({ ...options, ...slices, flash: emulatorFlash, seed: options.seed + 1, usb: true });
    this.toBoard = [new AudioWire(), new AudioWire()];
    this.toEmulator = new AudioWire();
    this.emulator.onCompare = (slice, duty, atNs) =>
      this.toBoard[[FIRST_OUTPUT, SECOND_OUTPUT].indexOf(slice)]?.set(duty, atNs);
    this.board.onCompare = (slice, duty, atNs) => {
      if (slice === FIRST_OUTPUT) this.toEmulator.set(duty, atNs);
    };
    this.board.readAdc = (input, atNs) => {
      const side = input === 0 ? 0 : 1;
      const code = this.toBoard[side].code(atNs);
      this.read[side].push(code);
      return code;
    };
    this.emulator.readAdc = (input, atNs) => (input === 0 ? this.toEmulator.code(atNs) : CODES / 2);
    this.emulator.onPin = (pin, level) => {
      if (TO_BOARD.includes(pin)) this.board.setPin(pin, level);
    };
    this.board.onPin = (pin, level) => {
      if (pin === RELAY) this.emulator.setPin(pin, level);
    };
    this.board.onUartByte = (byte) => this.uartOut.push(byte);
    this.emulator.onConsole = (data) => this.console.push(...data);
    this.board.onConsole = (data) => this.boardConsole.push(...data);
    this.uartOut = [];
    this.console = [];
    this.boardConsole = [];
    this.read = [[], []]; // what the board's ADC read on either side
    this.board.onReset = () => this.rest();
  }

  // The line emulator stays on when the board's power is cut, and comes back.
  powerOn() {
    if (!this.emulator.powered) this.emulator.powerOn(this.nowNs);
    this.board.powerOn(this.nowNs);
  }

  powerOff() {
    this.board.powerOff();
    this.rest();
  }

  // A board that drives nothing: the line emulator pulls the relay's wire down.
  rest() {
    this.emulator.setPin(RELAY, 0);
    this.toEmulator.set(FULL_SCALE_DUTIES / 2, this.nowNs);
  }

  // Lets n samples' time go by, with bytes for the board's UART, for the line emulator's console, and for the board's.
  pass({ n, uart, console, boardConsole }) {
    const endNs = this.nowNs + n * SAMPLE_NS;
    this.uartOut = [];
    this.console = [];
    this.boardConsole = [];
    this.emulator.type(console);
    if (this.board.powered) {
      if (boardConsole.length) this.board.type(boardConsole);
      const { uartByteNs } = this.board;
      uart.forEach((byte, i) => this.board.at((i + 1) * uartByteNs, () => this.board.receiveUart(byte)));
    }
    while (this.nowNs < endNs) {
      this.nowNs += STEP_NS;
      this.emulator.run(this.nowNs);
      this.board.run(this.nowNs);
    }
    const { read, uartOut: sent, console: said, boardConsole: boardSaid } = this;
    this.read = [[], []];
    const { resets, erases, programs } = this.board;
    const told = { read, resets, flash_writes: erases + programs };
    return { uart: sent, console: said, boardConsole: boardSaid, told };
  }
}
