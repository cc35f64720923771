// The viewer of one place on the page: what it shows, and how keys, hands and buttons change that.
// It outlives the reruns of the script, which bring new data.

const GAP = 8; // CSS pixels between panes
const CAPTION = 44; // CSS pixels that are left for what stands under a pane
const PAN_STEP = 1 / 8; // of a pane, for an arrow key
const DIVIDER_STEP = 2; // percent, for an arrow key
const DOUBLE_CLICK_ZOOM = 4;
const REPORT_AFTER = 500; // milliseconds of rest
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MODES = ["side", "one", "split"];
const DIFFERENCES = ["off", "absolute", "signed"];
const REPORTED = [
  "mode", "zoom", "x", "y", "shown", "left", "right", "divider", "difference", "gain", "reference",
];

class Viewer {
  #pictures = new Collection();
  #differences = new Collection();
  #frame = 0;
  #wish = 0; // the zoom that a wheel or a pinch has come to, before it was made whole
  #given = ""; // the view that the script gave last
  #reporting = 0;

  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.stage = this.find(".stage");
    this.held = false;
    this.loupe = false;
    this.at = null; // the pixel under the loupe
    this.size = { width: 1, height: 1 };
    this.#listen();
    this.observer = new ResizeObserver(() => this.#lay());
    this.observer.observe(root);
    this.ratio = window.devicePixelRatio;
    this.onRatio = () => this.#lay();
    window.addEventListener("resize", this.onRatio);
  }

  /** Takes what the script sent. The view stays as the visitor left it, unless another is given. */
  update({ data, setStateValue, setTriggerValue }) {
    const before = this.data;
    this.data = data;
    this.report = (view) => data.report && setStateValue("view", view);
    this.clicked = (point) => data.clickable && setTriggerValue("clicked", point);
    this.scene = { width: data.width, height: data.height };
    const given = JSON.stringify(data.view);
    if (given !== this.#given) {
      this.#given = given;
      const own = this.view && JSON.stringify(this.#reported());
      if (given !== own) this.view = { ...data.view };
    } else if (before.width !== data.width || before.height !== data.height) {
      Object.assign(this.view, { zoom: 0, x: 0.5, y: 0.5 });
    }
    const last = data.panes.length - 1;
    for (const which of ["shown", "left", "right", "reference"]) {
      this.view[which] = Math.min(this.view[which], last);
    }
    this.at = null;
    this.#lay();
  }

  close() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#reporting);
    this.observer.disconnect();
    window.removeEventListener("resize", this.onRatio);
    this.data = null; // what still comes, such as a key let go, draws and fetches nothing
    for (const pictures of [this.#pictures, this.#differences]) pictures.keep([]);
  }

  // What is seen

  get fit() {
    return fitZoom(this.scene, this.size);
  }

  get zoom() {
    return this.view.zoom ? allowedZoom(this.view.zoom, this.fit) : this.fit;
  }

  get centre() {
    const { width, height } = this.scene;
    const wanted = { x: this.view.x * width, y: this.view.y * height };
    return heldInside(wanted, this.zoom, this.scene, this.size);
  }

  get origin() {
    return originOf(this.centre, this.zoom, this.size);
  }

  /** The picture of a pane as it is looked at: itself, or its difference to the reference. */
  #seen(index) {
    const { difference, reference } = this.view;
    const picture = this.#pictures.get(this.data.panes[index].url);
    if (this.held || difference === "off" || index === reference) return picture;
    return this.#differences.get(this.#differenceName(index));
  }

  #differenceName(index) {
    const { difference, gain, reference } = this.view;
    const { panes } = this.data;
    return JSON.stringify([panes[index].url, panes[reference].url, difference, gain]);
  }

  /** The panes that are looked at: what the stage shows, from left to right. */
  #looked() {
    const { mode, shown, left, right } = this.view;
    if (mode === "split") return [left, right];
    return mode === "one" ? [shown] : this.data.panes.map((_, index) => index);
  }

  // Changes

  /** Changes the view, draws it, and tells the script once it rests. */
  set(changes, said) {
    Object.assign(this.view, changes);
    const { x, y } = this.centre;
    this.view.x = x / this.scene.width;
    this.view.y = y / this.scene.height;
    if (said) this.find(".said").textContent = said;
    this.#lay();
    clearTimeout(this.#reporting);
    this.#reporting = setTimeout(() => this.report(this.#reported()), REPORT_AFTER);
  }

  #reported() {
    return Object.fromEntries(REPORTED.map((name) => [name, this.view[name]]));
  }

  /** Zooms so that the point of the picture at (x, y) of a pane stays there. */
  zoomTo(wish, { x, y } = { x: this.size.width / 2, y: this.size.height / 2 }) {
    const [before, zoom] = [this.zoom, allowedZoom(wish, this.fit)];
    const nearer = 1 / before - 1 / zoom;
    const { width, height } = this.scene;
    this.set(
      {
        zoom: zoom === this.fit ? 0 : zoom,
        x: (this.centre.x + (x - this.size.width / 2) * nearer) / width,
        y: (this.centre.y + (y - this.size.height / 2) * nearer) / height,
      },
      `Zoom ${percent(zoom)}`,
    );
  }

  /** Zooms by a factor, small ones adding up; says whether there was room for it. */
  zoomBy(factor, point) {
    if (allowedZoom(this.#wish, this.fit) !== this.zoom) this.#wish = this.zoom;
    const [least, most] = [Math.min(this.fit, 1), MAX_ZOOM];
    const wish = clamp(this.#wish * factor, least, most);
    if (wish === this.#wish) return false;
    this.#wish = wish;
    this.zoomTo(wish, point);
    return true;
  }

  moveBy(across, down) {
    const { x, y } = this.centre;
    this.set({
      x: (x - across / this.zoom) / this.scene.width,
      y: (y - down / this.zoom) / this.scene.height,
    });
  }

  moveDivider(percentage) {
    this.set({ divider: clamp(percentage, 0, 100) / 100 });
  }

  show(index) {
    if (index >= this.data.panes.length) return;
    this.set({ mode: "one", shown: index }, `${index + 1}: ${this.data.panes[index].name}`);
  }

  arrange(mode) {
    if (this.data.panes.length > 1) this.set({ mode });
  }

  hold(held) {
    if (this.held === held) return;
    this.held = held;
    this.find(".said").textContent = held ? this.data.panes[this.view.reference].name : "";
    this.draw();
  }

  #holdByKey() {
    this.hold(true);
    const ended = new AbortController(); // also where the window loses the keys
    const end = () => {
      this.hold(false);
      ended.abort();
    };
    for (const sign of ["keyup", "blur"]) window.addEventListener(sign, end, { signal: ended.signal });
  }

  lookAt(at) {
    const { width, height } = this.scene;
    const inside = at && at.x >= 0 && at.y >= 0 && at.x < width && at.y < height;
    this.at = inside ? { x: Math.floor(at.x), y: Math.floor(at.y) } : this.at;
    if (this.loupe) this.draw();
  }

  /** The pixel of the picture at a point of a pane. */
  pixelAt({ x, y }) {
    const { left, top } = this.origin;
    return { x: (x - left) / this.zoom, y: (y - top) / this.zoom };
  }

  // Keys, hands and buttons

  #listen() {
    listenToHands(this.stage, {
      press: (point) => {
        const target = this.view.mode === "split" ? this.find(".range") : this.stage;
        target.focus({ preventScroll: true });
        this.lookAt(this.pixelAt(point));
      },
      hover: (point) => point && this.lookAt(this.pixelAt(point)),
      zoom: (point, factor) => this.zoomBy(factor, point),
      move: (across, down) => this.moveBy(across, down),
      drag: (point, { onHandle }, across, down) => {
        const still = this.zoom <= this.fit;
        if (this.view.mode === "split" && (onHandle || still)) {
          this.moveDivider((100 * point.x) / this.size.width);
        } else if (!still) {
          this.moveBy(across * window.devicePixelRatio, down * window.devicePixelRatio);
        }
        this.lookAt(this.pixelAt(point));
      },
      doubleClick: (point) =>
        this.zoom < DOUBLE_CLICK_ZOOM ? this.zoomTo(DOUBLE_CLICK_ZOOM, point) : this.set({ zoom: 0 }),
      click: (point) => {
        const { x, y } = this.pixelAt(point);
        const fraction = [x / this.scene.width, y / this.scene.height];
        if (fraction.every((part) => part >= 0 && part <= 1)) this.clicked(fraction);
      },
    });
    this.root.onkeydown = (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.target.tagName === "SELECT" || !this.#press(event)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    this.root.onclick = (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const { mode, act, pane } = button.dataset;
      if (mode) this.arrange(mode);
      else if (pane) this.show(Number(pane));
      else this.#act(act);
    };
    this.root.onchange = (event) => {
      const { set } = event.target.dataset;
      if (!set) return;
      const { value } = event.target;
      this.set({ [set]: set === "difference" ? value : Number(value) });
    };
    this.root.oninput = (event) => {
      if (event.target.matches(".range")) this.moveDivider(Number(event.target.value));
    };
    const hold = this.find("[data-act=hold]");
    hold.onpointerdown = () => this.hold(true);
    hold.onpointerup = hold.onpointerleave = hold.onpointercancel = () => this.hold(false);
    hold.oncontextmenu = (event) => event.preventDefault(); // what a long touch asks for
  }

  #act(act) {
    const zoom = {
      in: () => this.zoomTo(nextZoom(this.zoom, 1, this.fit)),
      out: () => this.zoomTo(nextZoom(this.zoom, -1, this.fit)),
      fit: () => this.set({ zoom: 0 }, "The whole picture"),
      actual: () => this.zoomTo(1),
      loupe: () => {
        this.loupe = !this.loupe;
        this.draw();
      },
    };
    zoom[act]?.();
  }

  /** Does what a key stands for, and says whether it stands for something. */
  #press({ key, shiftKey, target, repeat }) {
    const onStage = target === this.stage || target.matches(".range");
    const many = this.data.panes.length > 1;
    if (key === "+" || key === "=") this.#act("in");
    else if (key === "-" || key === "−") this.#act("out");
    else if (key === "0") this.#act("fit");
    else if (key === "l" || key === "L") repeat || this.#act("loupe");
    else if (many && key >= "1" && key <= String(this.data.panes.length)) this.show(Number(key) - 1);
    else if (many && (key === "a" || key === "A")) this.arrange("side");
    else if (many && (key === "s" || key === "S")) this.arrange("split");
    else if (many && (key === "d" || key === "D")) {
      const next = (DIFFERENCES.indexOf(this.view.difference) + 1) % DIFFERENCES.length;
      this.set({ difference: DIFFERENCES[next] }, `Difference: ${DIFFERENCES[next]}`);
    } else if (key === " " && many && !repeat && (onStage || target.dataset.act === "hold")) this.#holdByKey();
    else if (target.matches(".range") && key in ARROWS) {
      const [across, down] = ARROWS[key];
      this.moveDivider(100 * this.view.divider + DIVIDER_STEP * (across - down));
    } else if (target === this.stage && key in ARROWS) this.#pressArrow(ARROWS[key], shiftKey);
    else return false;
    return true;
  }

  /** An arrow moves the loupe where it is open, and the picture with it at the edge. */
  #pressArrow([across, down], far) {
    if (!this.loupe) {
      const step = far ? 1 : PAN_STEP;
      return this.moveBy(-across * step * this.size.width, -down * step * this.size.height);
    }
    const { x, y } = this.#loupeAt();
    const step = far ? 10 : 1;
    const { width, height } = this.scene;
    const at = {
      x: clamp(x + across * step, 0, width - 1),
      y: clamp(y + down * step, 0, height - 1),
    };
    this.at = at;
    const [half, high] = [this.size.width / this.zoom / 2, this.size.height / this.zoom / 2];
    const centre = this.centre;
    this.set({
      x: clamp(centre.x, at.x + 1 - half, at.x + half) / width,
      y: clamp(centre.y, at.y + 1 - high, at.y + high) / height,
    });
  }

  #loupeAt() {
    return this.at ?? { x: Math.floor(this.centre.x), y: Math.floor(this.centre.y) };
  }

  // Drawing

  /** Builds the panes that are needed, gives them their size, and draws. */
  #lay() {
    if (!this.data || !this.root.clientWidth) return;
    const { data, view, scene } = this;
    const ratio = window.devicePixelRatio;
    const split = view.mode === "split";
    const side = view.mode === "side";
    const panes = childrenOf(this.stage, side ? data.panes.length : 1, makePane);
    const gap = wholeLength(GAP, ratio, 1);
    const { columns, width, height } = arranged(
      panes.length, scene, ratio, this.root.clientWidth, data.max_height, gap, side ? CAPTION : 0,
    );
    this.size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    this.stage.style.gridTemplateColumns = `repeat(${columns}, ${width}px)`;
    this.stage.style.gap = `${gap}px`;
    this.stage.setAttribute("aria-label", data.alt);
    this.root.dataset.mode = view.mode;
    this.root.dataset.difference = view.difference;
    this.root.dataset.panes = ["one", "two"][data.panes.length - 1] ?? "many";
    panes.forEach((pane, index) => {
      const which = side ? index : view.shown;
      pane.querySelector(".face").style.height = `${height}px`;
      writeCaption(pane.querySelector(".caption"), data.panes[which], which + 1, false);
    });
    const tabs = side ? [] : split ? [view.left, view.right] : data.panes.map((_, i) => i);
    childrenOf(this.find(".tabs"), data.panes.length > 1 || !side ? tabs.length : 0, makeCaption).forEach(
      (tab, i) => writeCaption(tab, data.panes[tabs[i]], tabs[i] + 1, !split && tabs[i] === view.shown),
    );
    writeControls(this);
    for (const pane of panes) align(pane.querySelector(".face"), ratio);
    this.#load();
    this.draw();
  }

  #load() {
    const { panes } = this.data;
    this.#pictures.keep(panes.map((pane) => pane.url), (url) => {
      const picture = new Picture(this.scene.width, this.scene.height);
      picture.load(url).then(() => picture.closed || this.draw());
      return picture;
    });
    const { difference, gain, reference } = this.view;
    const subtrahend = this.#pictures.get(panes[reference].url);
    const wanted = difference === "off" ? [] : this.#looked().filter((index) => index !== reference);
    const minuends = new Map(
      wanted
        .map((index) => [this.#differenceName(index), this.#pictures.get(panes[index].url)])
        .filter(([, picture]) => picture.ready && subtrahend.ready),
    );
    this.#differences.keep(minuends.keys(), (name) =>
      differenceOf(minuends.get(name), subtrahend, gain, difference === "signed", () => this.draw()),
    );
  }

  draw() {
    if (this.#frame || !this.data) return;
    this.stage.setAttribute("aria-busy", "true");
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#load();
      const done = this.#paint();
      this.stage.setAttribute("aria-busy", String(!done));
    });
  }

  /** Draws every pane whose picture is there, and says whether all were. */
  #paint() {
    const { view, zoom, origin, size } = this;
    const looked = this.held ? this.#looked().map(() => view.reference) : this.#looked();
    const split = view.mode === "split";
    const divider = Math.round(view.divider * size.width);
    let done = true;
    [...this.stage.children].forEach((pane, index) => {
      const parts = split ? looked : [looked[index]];
      const canvas = pane.querySelector("canvas");
      const pictures = parts.map((which) => this.#seen(which));
      nameCanvas(canvas, this.data, parts);
      pane.classList.toggle("failed", pictures.some((picture) => picture?.failed));
      if (pictures.every((picture) => picture?.ready)) {
        canvas.width = size.width; // also clears
        canvas.height = size.height;
        const context = canvas.getContext("2d");
        const edges = split ? [0, divider, size.width] : [0, size.width];
        pictures.forEach((picture, part) => {
          context.save();
          context.beginPath();
          context.rect(edges[part], 0, edges[part + 1] - edges[part], size.height);
          context.clip();
          picture.draw(context, origin.left, origin.top, zoom);
          context.restore();
        });
      } else done = false;
      const { width, height } = this.scene;
      const mark = this.data.mark?.map((part, i) => part * (i % 2 ? height : width));
      layOver(pane.querySelector(".mark"), mark, origin, zoom);
      const { x, y } = this.#loupeAt();
      layOver(pane.querySelector(".cross"), this.loupe && [x, y, x + 1, y + 1], origin, zoom);
      pane.querySelector(".face").style.setProperty("--at", `${divider / window.devicePixelRatio}px`);
    });
    this.stage.style.touchAction = zoom > this.fit ? "none" : "pan-y";
    this.stage.classList.toggle("movable", zoom > this.fit);
    const table = this.find("table.loupe");
    table.hidden = !this.loupe;
    this.find("[data-act=loupe]").setAttribute("aria-pressed", this.loupe);
    if (this.loupe) {
      const panes = this.data.panes.map(({ name, url }) => ({ name, picture: this.#pictures.get(url) }));
      writeLoupe(table, panes, this.#loupeAt(), view.reference);
    }
    return done;
  }
}

const percent = (zoom) => `${Number((100 * zoom).toFixed(zoom < 0.1 ? 1 : 0))} %`;

function nameCanvas(canvas, { panes, alt }, parts) {
  const names = [...new Set(parts)].map((which) => panes[which].name);
  canvas.setAttribute("aria-label", `${names.join(" | ")}: ${alt}`);
}

/** Brings buttons, lists and the divider's handle in line with the view. */
function writeControls(viewer) {
  const { view, data, root, find } = viewer;
  for (const button of root.querySelectorAll("[data-mode]")) {
    button.setAttribute("aria-pressed", button.dataset.mode === view.mode);
  }
  find(".factor").textContent = percent(viewer.zoom);
  find("[data-act=fit]").setAttribute("aria-pressed", view.zoom === 0);
  find(".last").textContent = data.panes.length;
  const names = data.panes.map((pane, index) => [index, `${index + 1} ${pane.name}`]);
  const gains = GAINS.map((gain) => [gain, `× ${gain}`]);
  for (const list of root.querySelectorAll("select")) {
    const { set } = list.dataset;
    if (set !== "difference") {
      const entries = set === "gain" ? gains : names;
      childrenOf(list, entries.length, () => element("option")).forEach((option, i) => {
        [option.value, option.textContent] = entries[i];
      });
    }
    list.value = view[set];
  }
  const range = find(".range");
  const [left, right] = [data.panes[view.left].name, data.panes[view.right].name];
  const share = Math.round(100 * view.divider);
  range.value = 100 * view.divider;
  range.disabled = view.mode !== "split";
  range.setAttribute("aria-label", `Divider between ${left} and ${right}`);
  range.setAttribute("aria-valuetext", `${share} % ${left}, ${100 - share} % ${right}`);
}

const viewers = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".viewer");
  if (!viewers.has(root)) viewers.set(root, new Viewer(root));
  viewers.get(root).update(component);
  return () => {
    viewers.get(root).close();
    viewers.delete(root);
  };
}
