// Serves host_tools/rig/chip_process.py over standard input and output: a frame in, a frame out, in turn. A frame is its
// length (32 bits, little endian, as all here), one byte that says what it is, and what belongs to it.

import fs from 'node:fs';

import { LineBench } from './bench.mjs';
import { UsbBench } from './usb.mjs';
import { WiredBench } from './wired.mjs';

const CONFIGURE = 1; // JSON
const BOOT_ROM = 2; // its bytes
const FLASH = 3; // of the board under test, all of it
const EMULATOR_FLASH = 4; // of a line emulator beside it
const POWER_ON = 5;
const POWER_OFF = 6;
const BLOCK = 7; // n, edges, UART bytes (16 bits each), codes of line and phone, edges (16, 8, 8), bytes
const PASS = 8; // n, bytes for UART, line emulator's console and board's console (16 bits each), those bytes
const READ_FLASH = 9; // answers it
const PASS_ON_USB = 10; // as PASS, with a byte in front that says whether the host's port is open
const SET_PIN = 11; // pin, level

const NOTHING = Buffer.alloc(0);
const state = {};
const HANDLERS = {
  [CONFIGURE]: (body) => {
    state.options = JSON.parse(body.toString());
  },
  [BOOT_ROM]: (body) => {
    state.options.bootrom = words(body, Uint32Array);
  },
  [FLASH]: (body) => {
    state.flash = new Uint8Array(body);
    const Bench = state.options.usb ? UsbBench : LineBench;
    state.bench = new Bench({ ...state.options, flash: state.flash });
  },
  [EMULATOR_FLASH]: (body) => {
    state.bench = new WiredBench(state.options, state.flash, new Uint8Array(body));
  },
  [POWER_ON]: () => state.bench.powerOn(),
  [POWER_OFF]: () => state.bench.powerOff(),
  [BLOCK]: (body) => encode(state.bench.block(decode(body))),
  [PASS]: (body) => encodePassed(state.bench.pass(decodePass(body))),
  [READ_FLASH]: () => Buffer.from(state.flash),
  [PASS_ON_USB]: (body) => encodePassed(state.bench.pass({ ...decodePass(body.subarray(1)), isOpen: !!body[0] })),
  [SET_PIN]: ([pin, level]) => state.bench.setPin(pin, level),
};

function words(body, Words) {
  return new Words(body.buffer.slice(body.byteOffset, body.byteOffset + body.length));
}

function decode(body) {
  const [n, edgeCount, uartCount] = [0, 2, 4].map((at) => body.readUInt16LE(at));
  const edgesAt = 6 + 4 * n;
  const uartAt = edgesAt + 4 * edgeCount;
  const edges = Array.from({ length: edgeCount }, (_, i) => edgesAt + 4 * i).map((at) => [
    body.readUInt16LE(at),
    body[at + 2],
    body[at + 3],
  ]);
  return {
    n,
    line: words(body.subarray(6, 6 + 2 * n), Uint16Array),
    phone: words(body.subarray(6 + 2 * n, edgesAt), Uint16Array),
    edges,
    uart: [...body.subarray(uartAt, uartAt + uartCount)],
  };
}

function encode({ duties, uart, relay, told }) {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(duties.length, 0);
  head.writeUInt16LE(uart.length, 2);
  head[4] = relay ? 1 : 0;
  const rest = Buffer.from(JSON.stringify(told));
  return Buffer.concat([head, Buffer.from(duties.buffer), Buffer.from(uart), rest]);
}

function decodePass(body) {
  const [n, ...counts] = [0, 2, 4, 6].map((at) => body.readUInt16LE(at));
  let at = 8;
  const [uart, console, boardConsole] = counts.map((count) => [...body.subarray(at, (at += count))]);
  return { n, uart, console, boardConsole };
}

function encodePassed({ uart, console, boardConsole, told }) {
  const parts = [uart, console, boardConsole].map((bytes) => Buffer.from(bytes));
  const head = Buffer.alloc(6);
  parts.forEach((bytes, i) => head.writeUInt16LE(bytes.length, 2 * i));
  return Buffer.concat([head, ...parts, Buffer.from(JSON.stringify(told))]);
}

function read(count) {
  const data = Buffer.alloc(count);
  let done = 0;
  while (done < count) {
    const part = fs.readSync(0, data, done, count - done, null);
    if (!part) process.exit(0);
    done += part;
  }
  return data;
}

function write(data) {
  let done = 0;
  while (done < data.length) done += fs.writeSync(1, data, done);
}

for (;;) {
  const body = read(read(4).readUInt32LE(0));
  const answer = HANDLERS[body[0]](body.subarray(1)) ?? NOTHING;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(answer.length, 0);
  write(Buffer.concat([length, answer]));
}
