// What is seen of a picture: the picture itself, the part that is used, and the network's input.

/** Return the context in which pictures are drawn and read: opaque, in main memory. */
export function newContext(canvas) {
  return canvas.getContext("2d", { alpha: false, willReadFrequently: true });
}

/** Put a frame around a part of the picture, in shares of its sides. */
export function showPart(frame, [left, top, right, bottom]) {
  const sides = { left, top, width: right - left, height: bottom - top };
  frame.hidden = right - left === 1 && bottom - top === 1;
  for (const [side, share] of Object.entries(sides)) frame.style[side] = `${100 * share}%`;
}

/** Draw the pixels that the network receives. */
export function showInput(canvas, pixels, { width, height, channels }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * i + channel] = pixels[channels === 3 ? 3 * i + channel : i];
    }
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}
