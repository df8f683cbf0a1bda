// The UART of rp2040js asserts its transmit interrupt again after each clear, which MicroPython's driver never leaves, and
// sends in no time at all. This mends one in place as the PL011's manual has it (ARM DDI 0183): a FIFO that empties at the
// baud rate, a transmit interrupt when it has emptied to its level, receive interrupts by level and by time-out.

const RECEIVE = 1 << 4;
const TRANSMIT = 1 << 5;
const RECEIVE_TIMEOUT = 1 << 6;
const LEVELS = [4, 8, 16, 24, 28, 28, 28, 28];
const FIFO_BYTES = 32;
const BITS_OF_BYTE = 10;
const TIMEOUT_BYTES = 3.2;

const DATA = 0x00;
const FLAGS = 0x18;
const FIFO_LEVELS = 0x34;
const MASK = 0x38;
const RAW_STATUS = 0x3c;
const STATUS = 0x40;
const CLEAR = 0x44;
const DMA_CONTROL = 0x48;

export class MendedUart {
  constructor(uart) {
    this.uart = uart;
    this.sending = [];
    this.levels = 0x12;
    this.raw = 0;
    this.overruns = 0;
    this.onByte = () => {};
    const clock = uart.rp2040.clock;
    this.byteSent = clock.createAlarm(() => this.shiftOut());
    this.receiveTimeout = clock.createAlarm(() => this.timeOut());
    this.readOwn = uart.readUint32.bind(uart);
    this.writeOwn = uart.writeUint32.bind(uart);
    uart.readUint32 = (offset) => this.read(offset);
    uart.writeUint32 = (offset, value) => this.write(offset, value);
    uart.checkInterrupts = () => this.interrupt();
  }

  get byteNs() {
    const { uart } = this;
    return uart.baudDivider ? (BITS_OF_BYTE * 1e9 * uart.baudDivider * 16) / uart.rp2040.clkPeri : 86_806;
  }

  receive(byte) {
    const { rxFIFO } = this.uart;
    if (rxFIFO.full) {
      this.overruns++;
      return;
    }
    rxFIFO.push(byte);
    if (rxFIFO.itemCount >= this.receiveLevel()) this.raw |= RECEIVE;
    this.receiveTimeout.schedule(TIMEOUT_BYTES * this.byteNs);
    this.interrupt();
  }

  receiveLevel() {
    return this.uart.fifosEnabled ? LEVELS[(this.levels >> 3) & 7] : 1;
  }

  transmitLevel() {
    return this.uart.fifosEnabled ? LEVELS[this.levels & 7] : 0;
  }

  interrupt() {
    this.uart.rp2040.setInterrupt(this.uart.irq, !!(this.raw & this.uart.interruptMask));
  }

  shiftOut() {
    const byte = this.sending.shift();
    if (this.sending.length) this.byteSent.schedule(this.byteNs);
    if (this.sending.length === this.transmitLevel()) {
      this.raw |= TRANSMIT;
      this.interrupt();
    }
    this.onByte(byte);
  }

  timeOut() {
    if (!this.uart.rxFIFO.empty) {
      this.raw |= RECEIVE_TIMEOUT;
      this.interrupt();
    }
  }

  read(offset) {
    switch (offset) {
      case DATA:
        return this.readData();
      case FLAGS:
        return this.flags();
      case FIFO_LEVELS:
        return this.levels;
      case RAW_STATUS:
        return this.raw;
      case STATUS:
        return this.raw & this.uart.interruptMask;
      case DMA_CONTROL:
        return 0;
      default:
        return this.readOwn(offset);
    }
  }

  readData() {
    const { rxFIFO } = this.uart;
    const byte = rxFIFO.pull();
    if (rxFIFO.itemCount < this.receiveLevel()) this.raw &= ~RECEIVE;
    if (rxFIFO.empty) {
      this.raw &= ~RECEIVE_TIMEOUT;
      this.receiveTimeout.cancel();
    }
    this.interrupt();
    return byte;
  }

  flags() {
    const sending = this.sending.length;
    const { rxFIFO } = this.uart;
    return (
      (sending ? 0x08 : 0x80) | (rxFIFO.full ? 0x40 : 0) | (sending >= FIFO_BYTES ? 0x20 : 0) | (rxFIFO.empty ? 0x10 : 0)
    );
  }

  write(offset, value) {
    switch (offset) {
      case DATA:
        this.writeData(value);
        break;
      case FIFO_LEVELS:
        this.levels = value & 0x3f;
        break;
      case CLEAR:
        this.raw &= ~this.uart.rawWriteValue;
        break;
      case MASK:
        this.uart.interruptMask = value & 0x7ff;
        break;
      case DMA_CONTROL:
        break;
      default:
        this.writeOwn(offset, value);
        return;
    }
    this.interrupt();
  }

  writeData(value) {
    if (this.sending.length < FIFO_BYTES) this.sending.push(value & 0xff);
    if (this.sending.length > this.transmitLevel()) this.raw &= ~TRANSMIT;
    if (this.sending.length === 1) this.byteSent.schedule(this.byteNs);
  }
}
