// How far a picture is from the reference, as a picture: gain · |a − b|, or 128 + gain · (a − b),
// value by value, cut to 0 … 255. Made in tiles, with a pause after each few milliseconds.

const GAINS = [1, 2, 5, 10, 20, 50];
const TILE = 512;
const BUDGET = 12; // milliseconds

const pause = () => new Promise((resume) => setTimeout(resume));

/** Writes the difference of two parts into the first of them. */
function subtract(part, reference, gain, signed) {
  const [a, b] = [part.data, reference.data];
  for (let i = 0; i < a.length; i++) {
    if ((i & 3) === 3) continue; // alpha
    const difference = gain * (a[i] - b[i]);
    a[i] = signed ? 128 + difference : Math.abs(difference); // the array itself cuts
  }
}

/** Begins the difference of two pictures that are ready; `changed` is called after every pause. */
function differenceOf(picture, reference, gain, signed, changed) {
  const { width, height } = picture;
  const made = new Picture(width, height);
  (async () => {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    let started = performance.now();
    for (let y = 0; y < height; y += TILE) {
      for (let x = 0; x < width; x += TILE) {
        const size = [Math.min(TILE, width - x), Math.min(TILE, height - y)];
        const part = picture.read(x, y, ...size);
        subtract(part, reference.read(x, y, ...size), gain, signed);
        context.putImageData(part, x, y);
        if (performance.now() - started < BUDGET) continue;
        await pause();
        if (made.closed || !picture.ready || !reference.ready) return;
        started = performance.now();
      }
    }
    await made.take(await createImageBitmap(canvas));
    changed();
  })();
  return made;
}
