// Which part of a picture is looked at: a rectangle on its thumbnail, in pixels of the picture.

const REPORT_AFTER = 400; // milliseconds of rest, for keys and buttons
const STEP = 1 / 8; // of the rectangle, for an arrow key
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const held = (at, length, whole) => Math.round(Math.min(Math.max(at, 0), whole - length));

class RegionPicker {
  #reporting = 0;
  #from = null; // where in the rectangle a hand took it, in pixels of the picture

  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.stage = this.find(".stage");
    this.#listen();
  }

  update({ data, setTriggerValue }) {
    this.data = data;
    this.report = () => setTriggerValue("picked", this.region);
    if (!this.#from && !this.#reporting) this.region = data.region;
    const image = this.find("img");
    if (image.getAttribute("src") !== data.url) image.src = data.url;
    image.alt = data.alt;
    image.style.aspectRatio = `${data.width} / ${data.height}`;
    this.stage.setAttribute("aria-label", `Region of the picture: ${data.alt}`);
    this.#draw();
  }

  close() {
    clearTimeout(this.#reporting);
  }

  #draw() {
    const { width, height } = this.data;
    const [x, y, w, h] = this.region;
    const style = this.find(".frame").style;
    [style.left, style.width] = [x, w].map((length) => `${(100 * length) / width}%`);
    [style.top, style.height] = [y, h].map((length) => `${(100 * length) / height}%`);
    this.find("output").textContent = `${w} × ${h}`;
    for (const button of this.root.querySelectorAll("button")) {
      button.disabled = this.#side(Number(button.dataset.step)) === undefined;
    }
  }

  /** Puts the rectangle with its middle at (x, y), as near as the picture's border allows. */
  #centre(x, y, w = this.region[2], h = this.region[3]) {
    const { width, height } = this.data;
    this.region = [held(x - w / 2, w, width), held(y - h / 2, h, height), w, h];
    this.#draw();
  }

  get #middle() {
    const [x, y, w, h] = this.region;
    return [x + w / 2, y + h / 2];
  }

  /** The next side of the ladder, smaller or larger; nothing where there is none. */
  #side(step) {
    const { sides } = this.data;
    const side = Math.max(this.region[2], this.region[3]);
    return step > 0 ? sides.find((one) => one > side) : sides.findLast((one) => one < side);
  }

  #resize(step) {
    const side = this.#side(step);
    if (side === undefined) return;
    const { width, height } = this.data;
    this.#centre(...this.#middle, Math.min(side, width), Math.min(side, height));
    this.#reportLater();
  }

  #reportLater() {
    clearTimeout(this.#reporting);
    this.#reporting = setTimeout(() => this.#reportNow(), REPORT_AFTER);
  }

  #reportNow() {
    clearTimeout(this.#reporting);
    this.#reporting = 0;
    const [x, y, w, h] = this.region;
    this.find(".said").textContent = `${w} by ${h} pixels from x ${x}, y ${y}`;
    if (String(this.region) !== String(this.data.region)) this.report();
  }

  #pointOf(event) {
    const box = this.stage.getBoundingClientRect();
    const { width, height } = this.data;
    return [
      ((event.clientX - box.left) / box.width) * width,
      ((event.clientY - box.top) / box.height) * height,
    ];
  }

  #listen() {
    const { stage } = this;
    stage.onpointerdown = (event) => {
      if (event.button !== 0 || this.#from) return;
      event.preventDefault();
      stage.focus({ preventScroll: true });
      stage.setPointerCapture(event.pointerId);
      const [x, y] = this.#pointOf(event);
      if (!event.target.matches(".frame")) this.#centre(x, y);
      const [middleX, middleY] = this.#middle;
      this.#from = { id: event.pointerId, across: x - middleX, down: y - middleY };
    };
    stage.onpointermove = (event) => {
      if (this.#from?.id !== event.pointerId) return;
      const [x, y] = this.#pointOf(event);
      this.#centre(x - this.#from.across, y - this.#from.down);
    };
    stage.onpointerup = stage.onpointercancel = (event) => {
      if (this.#from?.id !== event.pointerId) return;
      this.#from = null;
      this.#reportNow();
    };
    this.root.onkeydown = (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || !this.#press(event)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    this.find(".bar").onclick = (event) => {
      const step = event.target.closest("button")?.dataset.step;
      if (step) this.#resize(Number(step));
    };
  }

  /** Does what a key stands for, and says whether it stands for something. */
  #press({ key, shiftKey, target }) {
    if (key === "+" || key === "=") this.#resize(1);
    else if (key === "-" || key === "−") this.#resize(-1);
    else if (target !== this.stage) return false;
    else if (key === "0") {
      this.#centre(this.data.width / 2, this.data.height / 2);
      this.#reportLater();
    } else if (key in ARROWS) {
      const [across, down] = ARROWS[key];
      const [, , w, h] = this.region;
      const [x, y] = this.#middle;
      const step = shiftKey ? 1 : STEP;
      this.#centre(x + across * step * w, y + down * step * h);
      this.#reportLater();
    } else return false;
    return true;
  }
}

const pickers = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".picker");
  if (!pickers.has(root)) pickers.set(root, new RegionPicker(root));
  pickers.get(root).update(component);
  return () => {
    pickers.get(root)?.close();
    pickers.delete(root);
  };
}
