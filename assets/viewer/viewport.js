// Where the pictures lie in a pane. A zoom is in device pixels per pixel of the picture, 0 stands
// for the zoom that fits. From 1 up only whole zooms are taken, so that all squares are equal.

const MAX_ZOOM = 64;
const STEPS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, MAX_ZOOM];

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

const wholeFromOne = (zoom) => (zoom >= 1 ? Math.floor(zoom + 1e-9) : zoom);

/** The largest zoom at which the whole scene is seen in a pane of that size. */
function fitZoom(scene, size) {
  const zoom = Math.min(size.width / scene.width, size.height / scene.height);
  return Math.min(wholeFromOne(zoom), MAX_ZOOM);
}

/** The zoom that comes closest to a wish: whole from 1 up, never smaller than what fits. */
function allowedZoom(wish, fit) {
  const zoom = wish >= 0.75 ? Math.max(1, Math.round(wish)) : wish;
  return clamp(zoom, Math.min(fit, 1), MAX_ZOOM);
}

/** The next zoom of the ladder, upwards or downwards. */
function nextZoom(zoom, direction, fit) {
  if (direction > 0) {
    if (zoom < 1) return allowedZoom(zoom * 2 > 0.75 ? 1 : zoom * 2, fit);
    return STEPS.find((step) => step > zoom) ?? MAX_ZOOM;
  }
  if (zoom > 1) return STEPS.findLast((step) => step < zoom) ?? 1;
  return allowedZoom(zoom / 2, fit);
}

/** The centre, in pixels of the picture, so that no pane shows more margin than it has to. */
function heldInside(centre, zoom, scene, size) {
  const along = (at, length, shown) =>
    length <= shown ? length / 2 : clamp(at, shown / 2, length - shown / 2);
  return {
    x: along(centre.x, scene.width, size.width / zoom),
    y: along(centre.y, scene.height, size.height / zoom),
  };
}

/** The device pixel of a pane at which the picture's top left corner lies. */
function originOf(centre, zoom, size) {
  return {
    left: Math.round(size.width / 2 - centre.x * zoom),
    top: Math.round(size.height / 2 - centre.y * zoom),
  };
}

/**
 * The first whole CSS length from `length` on, downwards (-1) or upwards (1), that is whole in
 * device pixels too: only what begins and ends there is shown without being resampled.
 */
function wholeLength(length, ratio, direction) {
  const first = direction < 0 ? Math.floor(length + 1e-3) : Math.ceil(length - 1e-3);
  for (let step = 0; step < 32 && first + step * direction > 0; step++) {
    const pixels = (first + step * direction) * ratio;
    if (Math.abs(pixels - Math.round(pixels)) < 0.01) return first + step * direction;
  }
  return first;
}

/** The pane's size in CSS pixels, and in how many columns, so that most of `count` is seen. */
function arranged(count, scene, ratio, width, maxHeight, gap, caption) {
  let found = null;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const most = {
      width: wholeLength((width - gap * (columns - 1)) / columns - 1, ratio, -1),
      height: wholeLength((maxHeight - gap * (rows - 1)) / rows - caption, ratio, -1),
    };
    if (most.width < 1) break;
    const zoom = Math.min(most.width / scene.width, most.height / scene.height);
    if (!found || zoom > found.zoom * 1.001) found = { columns, most, zoom };
  }
  const { columns, most } = found;
  const zoom = fitZoom(scene, { width: most.width * ratio, height: most.height * ratio });
  const height = Math.max((scene.height * zoom) / ratio, most.width / 3); // for a flat one's zoom
  return {
    columns,
    width: most.width,
    height: Math.min(most.height, wholeLength(height, ratio, 1)),
  };
}
