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

export class WiredBench {
  constructor(options, boardFlash, emulatorFlash) {
    const silent = () => ({ [FIRST_OUTPUT]: FULL_SCALE_DUTIES / 2, [SECOND_OUTPUT]: FULL_SCALE_DUTIES / 2 });
    const slices = { carrierSlices: [FIRST_OUTPUT, SECOND_OUTPUT] };
    this.nowNs = 0;
    this.board = new Chip({ ...options, ...slices, flash: boardFlash });
    this.emulator = new Chip({ ...options, ...slices, flash: emulatorFlash, seed: options.seed + 1, usb: true });
    this.duties = new Map([this.board, this.emulator].map((chip) => [chip, silent()]));
    for (const chip of [this.board, this.emulator]) {
      chip.onCompare = (slice, value) => {
        this.duties.get(chip)[slice] = value;
      };
    }
    this.board.readAdc = (input) => {
      const code = this.code(this.emulator, input === 0 ? FIRST_OUTPUT : SECOND_OUTPUT);
      this.read[input === 0 ? 0 : 1].push(code);
      return code;
    };
    this.emulator.readAdc = (input) => (input === 0 ? this.code(this.board, FIRST_OUTPUT) : CODES / 2);
    this.emulator.onPin = (pin, level) => {
      if (TO_BOARD.includes(pin)) this.board.setPin(pin, level);
    };
    this.board.onPin = (pin, level) => {
      if (pin === RELAY) this.emulator.setPin(pin, level);
    };
    this.board.onUartByte = (byte) => this.uartOut.push(byte);
    this.emulator.onConsole = (data) => this.console.push(...data);
    this.uartOut = [];
    this.console = [];
    this.events = [];
    this.read = [[], []]; // what the board's ADC read on either side
    this.board.onReset = () => this.events.push([this.board.nowNs, 'reset', this.board.resets]);
  }

  powerOn() {
    this.emulator.powerOn(this.nowNs);
    this.board.powerOn(this.nowNs);
  }

  powerOff() {
    this.board.powerOff();
  }

  // Lets n samples' time go by, with bytes for the board's UART and for the line emulator's console.
  pass({ n, uart, console }) {
    const endNs = this.nowNs + n * SAMPLE_NS;
    this.uartOut = [];
    this.console = [];
    this.emulator.type(console);
    if (this.board.powered) {
      const { uartByteNs } = this.board;
      uart.forEach((byte, i) => this.board.at((i + 1) * uartByteNs, () => this.board.receiveUart(byte)));
    }
    while (this.nowNs < endNs) {
      this.nowNs += STEP_NS;
      this.emulator.run(this.nowNs);
      this.board.run(this.nowNs);
    }
    const { events, read } = this;
    this.events = [];
    this.read = [[], []];
    const { resets, erases, programs } = this.board;
    return { uart: this.uartOut, console: this.console, told: { events, read, resets, flash_writes: erases + programs } };
  }

  code(chip, slice) {
    return Math.min(CODES - 1, Math.round((this.duties.get(chip)[slice] * CODES) / FULL_SCALE_DUTIES));
  }
}
