// Pictures as the browser decodes them, without a change of any value; each is fetched once, and
// once more where it did not arrive.

const PYRAMID_FROM = 4e6; // pixels: a smaller picture is shrunk fast enough as it is drawn
const AGAIN_AFTER = 500; // milliseconds
const EXACT = { premultiplyAlpha: "none", colorSpaceConversion: "none" };

/** Media lie beside Streamlit's own scripts, also where the app is served below a path. */
function absolute(url) {
  const script = document.querySelector('script[src*="static/js/"]');
  const root = script ? script.src.split("static/js/")[0] : document.baseURI;
  return new URL(url.replace(/^\//, ""), root).href;
}

const pause = (milliseconds) => new Promise((resume) => setTimeout(resume, milliseconds));

async function fetched(url, signal) {
  const answer = await fetch(absolute(url), { signal });
  if (!answer.ok) throw new Error(`${answer.status} for ${url}`);
  return createImageBitmap(await answer.blob(), EXACT);
}

/** A canvas of its own for reading pixels. */
const scratch = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

class Picture {
  #unwanted = new AbortController();

  constructor(width, height) {
    Object.assign(this, { width, height, levels: [], ready: false, closed: false, failed: false });
  }

  /** Becomes what is found at an address. */
  load(url) {
    const ask = () => fetched(url, this.#unwanted.signal);
    return this.become(ask().catch(() => pause(AGAIN_AFTER).then(ask)));
  }

  /** Becomes what a promised bitmap shows, or `failed`; one that nobody wants any more is let go. */
  async become(promised) {
    try {
      await this.#take(await promised);
    } catch (error) {
      this.failed = !this.closed;
      if (this.failed) console.error(error);
    }
  }

  /** Takes a bitmap over; large ones get smaller copies, each half of the one before. */
  async #take(bitmap) {
    if (this.closed) return bitmap.close();
    this.levels = [bitmap];
    this.ready = true;
    while (bitmap.width * bitmap.height > PYRAMID_FROM) {
      bitmap = await createImageBitmap(bitmap, {
        resizeWidth: Math.ceil(bitmap.width / 2),
        resizeHeight: Math.ceil(bitmap.height / 2),
        resizeQuality: "medium", // halves by the mean, which is what is wanted
      });
      if (this.closed) return bitmap.close();
      this.levels.push(bitmap);
    }
  }

  /** Draws the part that is seen, with the picture's corner at (left, top). */
  draw(context, left, top, zoom) {
    const level = zoom < 1 ? clamp(Math.floor(-Math.log2(zoom)), 0, this.levels.length - 1) : 0;
    const image = this.levels[level];
    const x0 = clamp(Math.floor(-left / zoom), 0, this.width);
    const y0 = clamp(Math.floor(-top / zoom), 0, this.height);
    const x1 = clamp(Math.ceil((context.canvas.width - left) / zoom), 0, this.width);
    const y1 = clamp(Math.ceil((context.canvas.height - top) / zoom), 0, this.height);
    if (x1 <= x0 || y1 <= y0) return;
    context.imageSmoothingEnabled = zoom < 1;
    context.imageSmoothingQuality = "high";
    const [across, down] = [image.width / this.width, image.height / this.height];
    context.drawImage(
      image,
      x0 * across, y0 * down, (x1 - x0) * across, (y1 - y0) * down,
      left + x0 * zoom, top + y0 * zoom, (x1 - x0) * zoom, (y1 - y0) * zoom,
    );
  }

  /** The values of a part, as RGBA; outside of the picture they are 0. */
  read(x, y, width, height) {
    scratch.canvas.width = width; // also clears
    scratch.canvas.height = height;
    scratch.drawImage(this.levels[0], -x, -y);
    return scratch.getImageData(0, 0, width, height);
  }

  close() {
    this.closed = true;
    this.#unwanted.abort();
    this.ready = false;
    for (const bitmap of this.levels) bitmap.close();
    this.levels = [];
  }
}

/** Pictures by name: what is not asked for any more is closed, so that memory does not grow. */
class Collection {
  #pictures = new Map();

  get(name) {
    return this.#pictures.get(name);
  }

  /** Keeps these names alone; `make(name)` begins those that are new. */
  keep(names, make) {
    const wanted = new Set(names);
    for (const [name, picture] of this.#pictures) {
      if (wanted.has(name)) continue;
      picture.close();
      this.#pictures.delete(name);
    }
    for (const name of wanted) {
      if (!this.#pictures.has(name)) this.#pictures.set(name, make(name));
    }
  }
}
