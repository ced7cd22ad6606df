// The zip archive behind the model in a .tflite. Its offsets count from the first byte of the file,
// or, as other tools write them, from the first byte of the archive.

import { Damaged } from "./flatbuffer.js";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;
const STORED = 0;
const DEFLATED = 8;
const FILES = 1000;
const FILE_BYTES = 1 << 22;

/**
 * @param {Uint8Array} bytes the whole .tflite
 * @param {string} name of a file in the archive
 * @returns {Promise<Uint8Array | null>} its content; null without such a file or any archive
 * @throws {Damaged} it is not there in full, or larger than any file of labels
 */
export async function readArchive(bytes, name) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entry = directory(bytes, view).get(name);
  if (!entry) return null;
  try {
    if (view.getUint32(entry.header, true) !== LOCAL) throw new RangeError();
    const from =
      entry.header + 30 + view.getUint16(entry.header + 26, true) + view.getUint16(entry.header + 28, true);
    const packed = part(bytes, from, entry.packedSize);
    if (entry.size > FILE_BYTES) throw new Damaged(`${name} in it is too large`);
    const content = entry.method === STORED ? packed : await inflated(packed, entry.method);
    if (content.length !== entry.size) throw new RangeError();
    return content;
  } catch (error) {
    throw error instanceof Damaged ? error : new Damaged(`${name} in it is cut short or damaged`);
  }
}

/** @returns {Map<string, {method, packedSize, size, header}>} */
function directory(bytes, view) {
  const found = new Map();
  const end = endRecord(view);
  if (end < 0) return found;
  try {
    const first = view.getUint32(end + 16, true);
    let at = end - view.getUint32(end + 12, true);
    const shift = at - first;
    const count = Math.min(view.getUint16(end + 10, true), FILES);
    for (let i = 0; i < count; i++) {
      if (view.getUint32(at, true) !== CENTRAL) throw new RangeError();
      const lengths = [28, 30, 32].map((field) => view.getUint16(at + field, true));
      found.set(new TextDecoder().decode(part(bytes, at + 46, lengths[0])), {
        method: view.getUint16(at + 10, true),
        packedSize: view.getUint32(at + 20, true),
        size: view.getUint32(at + 24, true),
        header: view.getUint32(at + 42, true) + shift,
      });
      at += 46 + lengths[0] + lengths[1] + lengths[2];
    }
  } catch {
    throw new Damaged("the archive at its end is damaged");
  }
  return found;
}

/** The position of the last end record, which a comment of up to 65,535 bytes may follow; -1. */
function endRecord(view) {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) === END) return at;
  }
  return -1;
}

function part(bytes, from, length) {
  if (from < 0 || from + length > bytes.length) throw new RangeError();
  return bytes.subarray(from, from + length);
}

/** Inflate, and stop when there is more than any file of labels has. */
async function inflated(packed, method) {
  if (method !== DEFLATED) throw new RangeError();
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const parts = [];
  let size = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > FILE_BYTES) {
      await reader.cancel();
      throw new RangeError();
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
