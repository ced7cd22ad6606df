// The pictures that were chosen: small copies with their answer, to look at again.

import { summary } from "./answer.js";

const SIDE = 96; // pixels of a small copy
const MOST = 100; // pictures that are kept

export class Tiles {
  #files = new Map(); // item -> file

  /**
   * @param {HTMLUListElement} list
   * @param {(file: File, item: HTMLLIElement) => void} chosen called when one is to be shown again
   */
  constructor(list, chosen) {
    this.list = list;
    this.chosen = chosen;
  }

  /** Add a file; the oldest leaves when there are too many. */
  add(file) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const small = document.createElement("canvas");
    small.width = small.height = SIDE;
    small.setAttribute("aria-hidden", "true");
    button.append(small, document.createElement("span"));
    button.addEventListener("click", () => this.chosen(file, item));
    item.append(button);
    this.list.append(item);
    this.#files.set(item, file);
    if (this.#files.size > MOST) this.remove(this.#files.keys().next().value);
    return item;
  }

  remove(item) {
    this.#files.delete(item);
    item.remove();
  }

  /** @returns {[HTMLLIElement, File][]} */
  all() {
    return [...this.#files];
  }

  /** Draw a small copy of the picture, and write its answer below it. */
  label(item, picture, answer) {
    const [small, text] = item.firstElementChild.children;
    const scale = SIDE / Math.max(picture.width, picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    const context = small.getContext("2d");
    context.clearRect(0, 0, SIDE, SIDE);
    context.drawImage(picture, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
    text.textContent = summary(answer);
    item.firstElementChild.title = this.#files.get(item)?.name ?? "";
  }

  /** Mark the one that is shown; null marks none. */
  mark(item) {
    for (const [one] of this.#files) {
      one.firstElementChild.setAttribute("aria-pressed", String(one === item));
    }
  }
}
