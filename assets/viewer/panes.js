// The panes as the page holds them: a canvas in device pixels with its marks, and its caption.

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

function makePane() {
  const range = element("input", { className: "range", type: "range", min: 0, max: 100, step: "any" });
  const divider = element("span", { className: "divider" }, element("span", { className: "grip" }));
  const face = element(
    "div",
    { className: "face" },
    element("canvas"),
    element("span", { className: "mark" }),
    element("span", { className: "cross" }),
    range,
    divider,
  );
  face.querySelector("canvas").setAttribute("role", "img");
  return element("div", { className: "pane" }, face, makeCaption());
}

function makeCaption() {
  return element(
    "button",
    { className: "caption", type: "button" },
    element("kbd"),
    element("b"),
    element("span", { className: "facts" }),
  );
}

/** As many children of a kind as are needed; those that are there stay. */
function childrenOf(parent, count, make) {
  while (parent.children.length > count) parent.lastElementChild.remove();
  while (parent.children.length < count) parent.append(make());
  return [...parent.children];
}

function writeCaption(caption, pane, number, pressed) {
  caption.querySelector("kbd").textContent = number;
  caption.querySelector("b").textContent = pane.name;
  const facts = pane.facts.map((fact) => fact.replaceAll(" ", "\u00a0")); // lines break between them
  caption.querySelector(".facts").textContent = facts.join("\u00a0· ");
  caption.setAttribute("aria-pressed", pressed);
  caption.dataset.pane = number - 1;
}

/** Lays an outline over a part of the picture, given in its pixels; null hides it. */
function layOver(outline, part, origin, zoom) {
  outline.hidden = !part;
  if (!part) return;
  const ratio = window.devicePixelRatio;
  outline.style.left = `${(origin.left + part[0] * zoom) / ratio}px`;
  outline.style.top = `${(origin.top + part[1] * zoom) / ratio}px`;
  outline.style.width = `${((part[2] - part[0]) * zoom) / ratio}px`;
  outline.style.height = `${((part[3] - part[1]) * zoom) / ratio}px`;
}

/** Moves a face to the next place that is whole in device pixels, which CSS may lie between. */
function align(face, ratio) {
  face.style.left = face.style.top = "0";
  const { left, top } = face.getBoundingClientRect();
  face.style.left = `${wholeLength(left, ratio, 1) - left}px`;
  face.style.top = `${wholeLength(top, ratio, 1) - top}px`;
}
