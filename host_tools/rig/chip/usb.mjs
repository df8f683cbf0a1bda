// A chip at the end of a USB cable: a host reads and types on its console, and the other end of its UART may answer.

import fs from 'node:fs';

import { Chip } from './chip.mjs';

const SAMPLE_NS = 125_000;
const AUDIO_SLICE = 1; // GP2 (boards/pico/WIRING.md)
const RELAY = 8;
const FULL_SCALE_DUTIES = 2000;
const CODES = 4096;
// What comes back through the loop-back plug of WIRING.md, by its table: within 0.5 dB of it in the whole band.
const PLUG_GAIN = 10 ** (-0.3 / 20);

export class UsbBench {
  // options: those of a chip; loopBack: whether the plug is in, on both inputs; wires: [from, to] of pins that a technician has
  // joined, an output to an input; line: a file of 16-bit codes that the line carries, a sample each, from when the chip first
  // samples, and silence behind them; edges: [sample of these, pin, level].
  constructor(options) {
    this.nowNs = 0;
    this.code = CODES / 2;
    this.wires = new Map(options.wires);
    this.relayMoves = 0;
    this.uartOut = [];
    this.console = [];
    this.chip = new Chip({ ...options, carrierSlices: [AUDIO_SLICE] });
    if (options.loopBack) {
      this.chip.onCompare = (slice, duty) => {
        if (slice === AUDIO_SLICE) this.code = CODES / 2 + (duty - FULL_SCALE_DUTIES / 2) * PLUG_GAIN * (CODES / FULL_SCALE_DUTIES);
      };
    }
    const line = options.line ? fs.readFileSync(options.line) : Buffer.alloc(0);
    this.line = new Uint16Array(line.buffer.slice(line.byteOffset, line.byteOffset + line.length));
    this.edges = options.edges ?? [];
    this.lineBeganNs = null;
    this.chip.readAdc = (_input, atNs) => Math.max(0, Math.min(CODES - 1, Math.round(this.lineCode(atNs) + this.noise())));
    this.chip.onUartByte = (byte) => this.uartOut.push(byte);
    this.chip.onConsole = (data) => this.console.push(...data);
    this.chip.onPin = (pin, level) => this.pinMoved(pin, level);
    this.chip.onReset = () => this.rest();
    this.noiseSeed = options.seed;
  }

  powerOn() {
    this.rest();
    this.chip.powerOn(this.nowNs);
  }

  powerOff() {
    this.chip.powerOff();
    this.rest();
  }

  // Nothing drives the outputs; they are pulled down.
  rest() {
    this.code = CODES / 2;
    for (const to of this.wires.values()) this.chip.setPin(to, 0);
  }

  pinMoved(pin, level) {
    if (pin === RELAY && level) this.relayMoves++;
    if (this.wires.has(pin)) this.chip.setPin(this.wires.get(pin), level ? 1 : 0);
  }

  // The line is on both inputs, as it is while the relay rests.
  lineCode(atNs) {
    if (!this.line.length) return this.code;
    this.lineBeganNs ??= atNs;
    return this.line[Math.floor((atNs - this.lineBeganNs) / SAMPLE_NS)] ?? this.code;
  }

  // Runs until then, and lets the edges of the line come in their samples.
  run(untilNs) {
    while (this.lineBeganNs !== null && this.edges.length) {
      const [[sample, pin, level]] = this.edges;
      const atNs = this.lineBeganNs + sample * SAMPLE_NS;
      if (atNs >= untilNs) break;
      this.edges.shift();
      this.chip.run(Math.max(atNs, this.nowNs));
      this.chip.setPin(pin, level);
    }
    this.chip.run(untilNs);
  }

  // A code up or down, from a seed: an input that reads the same for ever is a broken one.
  noise() {
    this.noiseSeed = (Math.imul(this.noiseSeed, 1664525) + 1013904223) | 0;
    return (this.noiseSeed >>> 8) / 0x800000 - 1;
  }

  setPin(pin, level) {
    this.chip.setPin(pin, level);
  }

  // Lets n samples' time go by, with bytes for the UART and the console. isOpen: whether a program on the host has the port open.
  pass({ n, uart, console, isOpen }) {
    const { chip } = this;
    this.uartOut = [];
    this.console = [];
    if (chip.powered) {
      chip.open(isOpen);
      if (console.length) chip.type(console);
      uart.forEach((byte, i) => chip.at((i + 1) * chip.uartByteNs, () => chip.receiveUart(byte)));
    }
    const busyBeforeNs = chip.busyNs;
    this.run(this.nowNs + n * SAMPLE_NS);
    this.nowNs += n * SAMPLE_NS;
    const told = {
      resets: chip.resets,
      flash_writes: chip.erases + chip.programs,
      relay: chip.drives(RELAY),
      relay_moves: this.relayMoves,
      is_connected: chip.powered && chip.isConnected,
      in_boot_loader: chip.inBootLoader,
      busy_ns: chip.busyNs - busyBeforeNs,
      untaken: chip.powered ? chip.typed.length : 0,
    };
    return { uart: this.uartOut, console: this.console, boardConsole: [], told };
  }
}
