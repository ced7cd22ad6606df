// The answer: its best lines with their bars, and the times that they took.

import { css } from "./colours.js";

const TOP = 3;
export const NOTHING = "Nothing found.";
const WINDOW = 30; // times of which the median is shown

/** Show the best lines of an answer in a list; see `TASKS`. */
export function showBars(list, lines) {
  const found = lines.slice(0, TOP);
  while (list.children.length > found.length) list.lastElementChild.remove();
  while (list.children.length < found.length) list.append(emptyBar());
  found.forEach((line, i) => {
    const [name, value, bar] = list.children[i].children;
    name.textContent = line.accepted === false ? `${line.label}, below the threshold` : line.label;
    value.textContent = line.text;
    bar.firstElementChild.style.inlineSize = `${100 * line.share}%`;
    bar.firstElementChild.style.background = line.colour ? css(line.colour) : "";
  });
}

/** The answer in a few words. */
export function summary({ lines, nothing }) {
  const [first] = lines;
  if (!first || first.accepted === false) return nothing ?? NOTHING;
  return `${first.label}, ${first.text}`;
}

function emptyBar() {
  const item = document.createElement("li");
  for (const [kind, tag] of [["label", "span"], ["score", "span"], ["bar", "div"]]) {
    const part = document.createElement(tag);
    part.className = kind;
    item.append(part);
  }
  item.lastElementChild.setAttribute("aria-hidden", "true"); // the score says the same
  item.lastElementChild.append(document.createElement("div"));
  return item;
}

/** The median of the last times, which a slow frame does not change much. */
export class Times {
  #values = [];

  add(milliseconds) {
    this.#values.push(milliseconds);
    if (this.#values.length > WINDOW) this.#values.shift();
  }

  clear() {
    this.#values = [];
  }

  /** Null before the first. */
  get median() {
    if (!this.#values.length) return null;
    const sorted = [...this.#values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
