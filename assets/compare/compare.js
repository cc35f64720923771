// Everything that has to outlive a rerun is kept in the DOM: the divider's place is the value of
// the range input, and a press that is under way is a property of the frame.

const DRAG_FROM = 4; // CSS pixels: a press that wanders less is a click
const KEY_STEP = 2; // percent for an arrow key

const clamp = (value, high) => Math.min(high, Math.max(0, value));

function fractionOf(frame, event) {
  const box = frame.getBoundingClientRect();
  return [
    clamp((event.clientX - box.left) / box.width, 1),
    clamp((event.clientY - box.top) / box.height, 1),
  ];
}

// Enlarged pixels stay squares; a shrunk picture is smoothed, since dropping pixels shows noise.
function chooseRendering(frame) {
  for (const image of frame.querySelectorAll("img")) {
    const enlarged = frame.clientWidth * devicePixelRatio >= image.naturalWidth;
    image.style.imageRendering = enlarged ? "pixelated" : "auto";
  }
}

function showPictures(frame, data) {
  frame.setAttribute("aria-label", data.alt);
  frame.style.aspectRatio = `${data.width} / ${data.height}`;
  frame.style.maxWidth = data.max_height
    ? `${(data.max_height * data.width) / data.height}px`
    : "";
  for (const side of ["left", "right"]) {
    const image = frame.querySelector(`.${side} img`);
    image.alt = `${data[side].label}: ${data.alt}`;
    image.onload = () => chooseRendering(frame);
    if (image.src !== data[side].png) image.src = data[side].png;
    frame.querySelector(`.${side} .label`).textContent = data[side].label;
  }
  frame.resizeObserver ??= new ResizeObserver(() => chooseRendering(frame));
  frame.resizeObserver.observe(frame);
}

function showCrop(crop, box) {
  crop.hidden = !box;
  if (!box) return;
  const [x0, y0, x1, y1] = box.map((part) => part * 100);
  crop.style.left = `${x0}%`;
  crop.style.top = `${y0}%`;
  crop.style.width = `${x1 - x0}%`;
  crop.style.height = `${y1 - y0}%`;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const frame = parentElement.querySelector(".frame");
  const range = parentElement.querySelector(".range");
  const { left, right } = data;

  const moveTo = (percent) => {
    range.value = clamp(percent, 100);
    frame.style.setProperty("--at", `${range.value}%`);
    const share = Math.round(range.value);
    range.setAttribute(
      "aria-valuetext",
      `${share} % ${left.label}, ${100 - share} % ${right.label}`,
    );
  };

  showPictures(frame, data);
  showCrop(parentElement.querySelector(".crop"), data.crop);
  range.setAttribute("aria-label", `Divider between ${left.label} and ${right.label}`);
  moveTo(Number(range.value));

  // With step="any" the browser's own arrow step is not settled, so the arrows are ours.
  range.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    moveTo(Number(range.value) + step * KEY_STEP);
  };
  range.oninput = () => moveTo(Number(range.value));

  // Without this a press takes the focus away from the range input and drags the picture.
  frame.onmousedown = (event) => event.preventDefault();
  frame.onpointerdown = (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    const onHandle = event.target.closest(".divider") !== null;
    frame.press = { x: event.clientX, y: event.clientY, onHandle, moved: false };
    frame.setPointerCapture(event.pointerId);
    range.focus({ preventScroll: true });
  };
  frame.onpointermove = (event) => {
    const { press } = frame;
    if (!press || !event.isPrimary) return;
    press.moved ||= Math.hypot(event.clientX - press.x, event.clientY - press.y) >= DRAG_FROM;
    if (press.moved) moveTo(fractionOf(frame, event)[0] * 100);
  };
  frame.onpointerup = (event) => {
    const { press } = frame;
    if (!press || !event.isPrimary) return;
    frame.press = null;
    if (!press.moved && !press.onHandle) setTriggerValue("clicked", fractionOf(frame, event));
  };
  frame.onpointercancel = () => {
    frame.press = null;
  };
}
