// A gallery: names with the vectors of some of their images, as `mobilenet-tf enroll` writes them.

import { UserError } from "./tflite.js";

const MOST = 10_000;
const TOLERANCE = 1e-2; // of the length of a stored vector

/**
 * @param {string} text of the file
 * @param {Uint8Array} model the file that must have made the vectors: those of two cannot be compared
 * @param {string} name by which errors call the gallery
 * @returns {Promise<{dimension: number, entries: {name: string, vector: number[]}[]}>}
 * @throws {UserError} it is no gallery, or another model's
 */
export async function readGallery(text, model, name) {
  let gallery;
  try {
    gallery = JSON.parse(text);
  } catch {
    gallery = null;
  }
  const { kind, dimension, entries } = gallery ?? {};
  const valid = kind === "gallery" && Array.isArray(entries) && entries.length > 0 && entries.length <= MOST;
  if (!valid || !entries.every((entry) => isEntry(entry, dimension))) {
    throw new UserError(`${name} is not a gallery that \`mobilenet-tf enroll\` has written.`);
  }
  if (gallery.model !== (await sha256(model))) {
    throw new UserError(`${name} was made by another model, whose vectors cannot be compared.`);
  }
  return { dimension, entries };
}

function isEntry(entry, dimension) {
  const { name, vector } = entry ?? {};
  if (typeof name !== "string" || !name.trim() || !Array.isArray(vector) || vector.length !== dimension) return false;
  if (!vector.every(Number.isFinite)) return false;
  return Math.abs(Math.hypot(...vector) - 1) <= TOLERANCE;
}

async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) throw new UserError("A gallery needs https or localhost.");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
