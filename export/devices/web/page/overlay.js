// Boxes and a mask over the picture.

import { css } from "./colours.js";

const FONT = 14; // CSS pixels
const mask = document.createElement("canvas").getContext("2d");

/**
 * Draw an answer over the picture.
 *
 * @param {HTMLCanvasElement} canvas that covers the picture
 * @param answer see `Runner.again`
 * @param {boolean} mirrored whether the picture is shown as in a mirror
 */
export function showOverlay(canvas, answer, mirrored) {
  const { boxes, mask: shown } = answer;
  canvas.hidden = !boxes.length && !shown;
  if (canvas.hidden) return;
  const unit = devicePixelRatio;
  const [width, height] = [canvas.clientWidth * unit, canvas.clientHeight * unit].map(Math.round);
  Object.assign(canvas, { width, height }); // which also clears it
  const context = canvas.getContext("2d");
  if (shown) drawMask(context, answer, mirrored);
  // The likeliest box is drawn last, over the others.
  for (const box of [...boxes].reverse()) drawBox(context, box, unit, mirrored);
}

function drawMask(context, { mask: { width, height, rgba }, part, target }, mirrored) {
  Object.assign(mask.canvas, { width, height });
  mask.putImageData(new ImageData(rgba, width, height), 0, 0);
  const [left, top, right, bottom] = part.map((share, i) => share * (i % 2 ? context.canvas.height : context.canvas.width));
  context.save();
  if (mirrored) context.setTransform(-1, 0, 0, 1, context.canvas.width, 0);
  const from = [target[0], target[1], target[2] - target[0], target[3] - target[1]];
  context.drawImage(mask.canvas, ...from, left, top, right - left, bottom - top);
  context.restore();
}

function drawBox(context, { label, text, edges, colour }, unit, mirrored) {
  const { width, height } = context.canvas;
  const [first, top, second, bottom] = edges.map((share, i) => share * (i % 2 ? height : width));
  const [left, right] = mirrored ? [width - second, width - first] : [first, second];
  // A dark edge around the coloured one is visible on any picture.
  for (const [style, line] of [["black", 4], [css(colour), 2]]) {
    context.strokeStyle = style;
    context.lineWidth = line * unit;
    context.strokeRect(left, top, right - left, bottom - top);
  }
  context.font = `${FONT * unit}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  const words = `${label} ${text}`;
  const [wide, high] = [context.measureText(words).width + 6 * unit, 1.3 * FONT * unit];
  const x = Math.max(0, Math.min(left, width - wide));
  const y = top >= high ? top - high : top; // above the box if there is room
  context.fillStyle = css(colour);
  context.fillRect(x, y, wide, high);
  context.fillStyle = "black";
  context.fillText(words, x + 3 * unit, y + high / 2);
}
