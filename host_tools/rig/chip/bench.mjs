// A chip on an emulated line: the line's samples into its ADC, edges into its pins, and what it does back, block by block.

import { Chip } from './chip.mjs';

export const SAMPLE_NS = 125_000;
const LINE_INPUT = 0;
const AUDIO_SLICE = 1; // GP2 (boards/pico/WIRING.md)
const RELAY = 8;
const MIDDLE = 1000;

export class LineBench {
  constructor(options) {
    this.nowNs = 0;
    this.line = new Uint16Array(0);
    this.phone = new Uint16Array(0);
    this.compare = MIDDLE;
    this.uartOut = [];
    this.events = [];
    this.chip = new Chip({ ...options, carrierSlices: [AUDIO_SLICE] });
    this.chip.readAdc = (input, atNs) => this.sample(input, atNs);
    this.chip.onCompare = (slice, value, atNs) => this.setCompare(slice, value, atNs);
    this.chip.onUartByte = (byte) => this.uartOut.push(byte);
    this.chip.onPin = (pin, level) => this.events.push([this.chip.nowNs, `pin ${pin}`, level ? 1 : 0]);
    this.chip.onReset = () => {
      this.events.push([this.chip.nowNs, 'reset', this.chip.resets]);
      this.forget();
    };
    this.forget();
  }

  forget() {
    this.sampled = false;
    this.playing = false;
  }

  powerOn() {
    this.chip.powerOn(this.nowNs);
    this.forget();
    this.events.push([this.nowNs, 'power on', 1]);
  }

  powerOff() {
    this.chip.powerOff();
  }

  // n samples of both sides (12-bit codes), edges [offset, pin, level], bytes for the UART. Answers the duties that were set, in
  // the samples in which they were, bytes from the UART, and what else happened.
  block({ n, line, phone, edges, uart }) {
    const { chip } = this;
    this.startNs = this.nowNs;
    this.line = line;
    this.phone = phone;
    this.duties = new Uint16Array(n);
    this.filled = 0;
    this.uartOut = [];
    const busyBeforeNs = chip.busyNs;
    const endNs = this.startNs + n * SAMPLE_NS;
    this.receive(uart, endNs);
    for (const [offset, pin, level] of edges) {
      chip.run(this.startNs + offset * SAMPLE_NS);
      chip.setPin(pin, level);
    }
    chip.run(endNs);
    this.nowNs = endNs;
    this.fill(n);
    const events = this.events;
    this.events = [];
    const busyNs = chip.busyNs - busyBeforeNs;
    return {
      duties: this.duties,
      uart: this.uartOut,
      relay: chip.drives(RELAY),
      told: { events, busy_ns: busyNs, resets: chip.resets, flash_writes: chip.erases + chip.programs },
    };
  }

  receive(bytes, endNs) {
    const { chip } = this;
    if (!chip.powered || !bytes.length) return;
    const byteNs = Math.min(chip.uartByteNs, (endNs - this.nowNs) / bytes.length);
    bytes.forEach((byte, i) => chip.at((i + 1) * byteNs, () => chip.receiveUart(byte)));
  }

  sample(input, atNs) {
    if (!this.sampled) {
      this.sampled = true;
      this.events.push([atNs, 'first sample', 1]);
    }
    const side = input === LINE_INPUT ? this.line : this.phone;
    return side[Math.min(this.indexAt(atNs), side.length - 1)];
  }

  indexAt(atNs) {
    return Math.max(0, Math.floor((atNs - this.startNs) / SAMPLE_NS));
  }

  setCompare(slice, value, atNs) {
    if (slice !== AUDIO_SLICE) return;
    this.fill(Math.min(this.duties.length, Math.ceil((atNs - this.startNs) / SAMPLE_NS)));
    this.compare = value;
    const playing = value !== MIDDLE;
    if (playing && !this.playing) this.events.push([atNs, 'sound', 1]);
    this.playing = playing;
  }

  fill(to) {
    this.duties.fill(this.compare, this.filled, to);
    this.filled = Math.max(this.filled, to);
  }
}
