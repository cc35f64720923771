// What a hand does on the stage: wheel, drag, pinch, click and double click. Points are given as
// {pane, x, y}: the pane where the gesture began, and device pixels inside it.

const DRAG_FROM = 4; // CSS pixels: a press that wanders less is a click
const DOUBLE_WITHIN = 300; // milliseconds
const WHEEL = 0.003; // of the logarithm of the zoom, for a CSS pixel
const PINCH_WHEEL = 0.01; // a touchpad reports a pinch as a wheel with Ctrl
const LINE = 33; // CSS pixels

function listenToHands(stage, on) {
  const pressed = new Map(); // pointer id -> where it is now
  let press = null; // what began with the first finger
  let pinch = null;
  let waiting = null; // a click that may become a double click

  const pointOf = (event, pane) => {
    const box = pane.querySelector("canvas").getBoundingClientRect();
    const ratio = window.devicePixelRatio;
    return {
      pane,
      x: (event.clientX - box.left) * ratio,
      y: (event.clientY - box.top) * ratio,
    };
  };
  const paneOf = (event) => event.target.closest?.(".face")?.closest(".pane") ?? null;
  const middle = () => {
    const [a, b] = [...pressed.values()];
    return {
      clientX: (a.clientX + b.clientX) / 2,
      clientY: (a.clientY + b.clientY) / 2,
      distance: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY),
    };
  };

  stage.onwheel = (event) => {
    const pane = paneOf(event);
    if (!pane) return;
    const way = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
    const factor = Math.exp(-way * (event.ctrlKey ? PINCH_WHEEL : WHEEL));
    // Where nothing is left to zoom, the wheel scrolls the page.
    if (on.zoom(pointOf(event, pane), factor) || event.ctrlKey) event.preventDefault();
  };

  // Without this a press drags the picture, or takes the focus to where the browser thinks.
  stage.onmousedown = (event) => {
    if (paneOf(event)) event.preventDefault();
  };

  stage.onpointerdown = (event) => {
    const pane = press?.pane ?? paneOf(event);
    if (!pane || event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    pressed.set(event.pointerId, event);
    if (pressed.size === 1) {
      const onHandle = event.target.closest(".divider") !== null;
      press = { pane, x: event.clientX, y: event.clientY, onHandle, moved: false };
      on.press(pointOf(event, pane));
    } else if (pressed.size === 2) {
      press.moved = true;
      pinch = middle();
    }
  };

  stage.onpointermove = (event) => {
    if (!press) {
      const pane = paneOf(event);
      return on.hover(pane && pointOf(event, pane));
    }
    const before = pressed.get(event.pointerId);
    if (!before) return;
    const ratio = window.devicePixelRatio;
    pressed.set(event.pointerId, event);
    if (pinch && pressed.size === 2) {
      const now = middle();
      on.move((now.clientX - pinch.clientX) * ratio, (now.clientY - pinch.clientY) * ratio);
      if (pinch.distance > 0) on.zoom(pointOf(now, press.pane), now.distance / pinch.distance);
      pinch = now;
      return;
    }
    if (!press.moved) {
      if (Math.hypot(event.clientX - press.x, event.clientY - press.y) < DRAG_FROM) return;
      press.moved = true;
      return on.drag(pointOf(event, press.pane), press, event.clientX - press.x, event.clientY - press.y);
    }
    on.drag(
      pointOf(event, press.pane),
      press,
      event.clientX - before.clientX,
      event.clientY - before.clientY,
    );
  };

  const lift = (event) => {
    if (!pressed.delete(event.pointerId)) return;
    if (pressed.size < 2) pinch = null;
    if (pressed.size > 0) return;
    const { moved, onHandle, pane } = press;
    press = null;
    if (moved || onHandle || event.type === "pointercancel") return;
    const point = pointOf(event, pane);
    if (waiting) {
      clearTimeout(waiting);
      waiting = null;
      on.doubleClick(point);
    } else {
      waiting = setTimeout(() => {
        waiting = null;
        on.click(point);
      }, DOUBLE_WITHIN);
    }
  };
  stage.onpointerup = lift;
  stage.onpointercancel = lift;
  stage.onpointerleave = () => press || on.hover(null);
}
