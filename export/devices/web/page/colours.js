// Colours of classes, over the picture and in the answer.

/** A bright colour, [red, green, blue]; hues of classes in succession lie far apart. */
export function classColour(index) {
  const hue = ((index * 137.508) % 360) / 60;
  const shares = [Math.abs(hue - 3) - 1, 2 - Math.abs(hue - 2), 2 - Math.abs(hue - 4)];
  return shares.map((share) => Math.trunc(80 + 175 * Math.min(1, Math.max(0, share))));
}

/** A colour such as #800000 as [red, green, blue]; null for anything else. */
export function parsedColour(text) {
  if (!/^#[0-9a-f]{6}$/.test(text)) return null;
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}

export function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}
