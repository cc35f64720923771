// How far a picture is from the reference, as a picture: gain · |a − b|, or 128 + gain · (a − b),
// value by value, cut to 0 … 255. Made in tiles, with a pause after each few milliseconds.

const GAINS = [1, 2, 5, 10, 20, 50];
const TILE = 512;
const BUDGET = 12; // milliseconds

/** Writes the difference of two parts into the first of them. */
function subtract(part, reference, gain, signed) {
  const [a, b] = [part.data, reference.data];
  for (let i = 0; i < a.length; i++) {
    if ((i & 3) === 3) continue; // alpha
    const difference = gain * (a[i] - b[i]);
    a[i] = signed ? 128 + difference : Math.abs(difference); // the array itself cuts
  }
}

/** The difference of two pictures as a bitmap; `wanted()` is asked after every pause. */
async function subtracted(picture, reference, gain, signed, wanted) {
  const { width, height } = picture;
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
      await pause(0);
      if (!wanted()) throw new Error("This difference is not wanted any more.");
      started = performance.now();
    }
  }
  return createImageBitmap(canvas);
}

/** Begins the difference of two pictures that are ready; `changed` is called when it is there. */
function differenceOf(picture, reference, gain, signed, changed) {
  const made = new Picture(picture.width, picture.height);
  made
    .become(subtracted(picture, reference, gain, signed, () => !made.closed))
    .then(() => made.closed || changed());
  return made;
}
