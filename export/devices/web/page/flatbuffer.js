// Read tables of a flatbuffer by field number. The file is hostile: every position is checked
// against its end, every length before memory is allocated for it, and the number of tables, of texts'
// bytes and of vectors' elements is bounded, because offsets may share them and a small file can unfold
// into a large tree.

const TABLES = 100_000;
const TEXT_BYTES = 1 << 24;
const ELEMENTS = 1 << 22;

export class Damaged extends Error {}

export class Flatbuffer {
  #view;
  #tables = TABLES;
  #text = TEXT_BYTES;
  #elements = ELEMENTS;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The four characters at byte 4 that say what the file is; empty if it is shorter. */
  get mark() {
    return String.fromCharCode(...this.bytes.subarray(4, 8));
  }

  root() {
    return this.table(this.uint32(0));
  }

  table(at) {
    if (--this.#tables < 0) throw new Damaged("it refers to too many tables");
    return new Table(this, at);
  }

  text(at, length) {
    this.#text -= length;
    if (this.#text < 0) throw new Damaged("it has too much text");
    return new TextDecoder().decode(this.slice(at, length));
  }

  /** Count elements of a vector before they are read. */
  visit(length) {
    this.#elements -= length;
    if (this.#elements < 0) throw new Damaged("its vectors have too many elements");
  }

  /** @returns a view of `length` bytes from `at`, without a copy. */
  slice(at, length) {
    this.#require(at, length);
    return this.bytes.subarray(at, at + length);
  }

  int8(at) {
    this.#require(at, 1);
    return this.#view.getInt8(at);
  }

  uint16(at) {
    this.#require(at, 2);
    return this.#view.getUint16(at, true);
  }

  int32(at) {
    this.#require(at, 4);
    return this.#view.getInt32(at, true);
  }

  uint32(at) {
    this.#require(at, 4);
    return this.#view.getUint32(at, true);
  }

  float32(at) {
    this.#require(at, 4);
    return this.#view.getFloat32(at, true);
  }

  int64(at) {
    this.#require(at, 8);
    return Number(this.#view.getBigInt64(at, true));
  }

  #require(at, length) {
    if (at < 0 || at + length > this.bytes.length) throw new Damaged("it is cut short or damaged");
  }
}

/** A table; a field that the file omits reads as null, a vector that it omits as empty. */
export class Table {
  #data;
  #start;

  constructor(data, start) {
    this.#data = data;
    this.#start = start;
  }

  int8(field, absent = null) {
    return this.#scalar(field, "int8", absent);
  }

  int32(field, absent = null) {
    return this.#scalar(field, "int32", absent);
  }

  uint32(field, absent = null) {
    return this.#scalar(field, "uint32", absent);
  }

  table(field) {
    const at = this.#position(field);
    return at === null ? null : this.#data.table(this.#target(at));
  }

  tables(field) {
    return this.#vector(field, 4, (at) => this.#data.table(this.#target(at)));
  }

  int32s(field) {
    return this.#vector(field, 4, (at) => this.#data.int32(at));
  }

  floats(field) {
    return this.#vector(field, 4, (at) => this.#data.float32(at));
  }

  int64s(field) {
    return this.#vector(field, 8, (at) => this.#data.int64(at));
  }

  bytes(field) {
    const found = this.#extent(field, 1);
    return found ? this.#data.slice(found.from, found.length) : new Uint8Array(0);
  }

  string(field) {
    const found = this.#extent(field, 1);
    return found ? this.#data.text(found.from, found.length) : null;
  }

  #scalar(field, kind, absent) {
    const at = this.#position(field);
    return at === null ? absent : this.#data[kind](at);
  }

  #position(field) {
    const vtable = this.#start - this.#data.int32(this.#start);
    const slot = 4 + 2 * field;
    if (slot >= this.#data.uint16(vtable)) return null;
    const offset = this.#data.uint16(vtable + slot);
    return offset === 0 ? null : this.#start + offset;
  }

  #target(at) {
    return at + this.#data.uint32(at);
  }

  #extent(field, size) {
    const position = this.#position(field);
    if (position === null) return null;
    const at = this.#target(position);
    const length = this.#data.uint32(at);
    this.#data.slice(at + 4, length * size);
    return { from: at + 4, length };
  }

  #vector(field, size, read) {
    const found = this.#extent(field, size);
    if (!found) return [];
    this.#data.visit(found.length);
    return Array.from({ length: found.length }, (_, i) => read(found.from + i * size));
  }
}
