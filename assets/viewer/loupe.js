// The values under one point in all panes, with the pixels around it.

const AROUND = 3; // pixels on each side
const SQUARE = 7; // device pixels for one of them

function writeLoupe(table, panes, at, reference) {
  table.querySelector("caption").textContent = `Pixel x ${at.x}, y ${at.y}`;
  const rows = childrenOf(table.querySelector("tbody"), panes.length, () => {
    const side = (2 * AROUND + 1) * SQUARE;
    const canvas = element("canvas", { width: side, height: side });
    canvas.setAttribute("aria-hidden", "true");
    const cells = Array.from({ length: 4 }, () => element("td"));
    const name = element("th", { scope: "row" });
    return element("tr", {}, element("td", {}, canvas), name, ...cells);
  });
  const values = panes.map(({ picture }) =>
    picture.ready ? [...picture.read(at.x, at.y, 1, 1).data.slice(0, 3)] : null,
  );
  rows.forEach((row, index) => {
    const [around, name, ...cells] = row.children;
    name.textContent = panes[index].name;
    const [own, other] = [values[index], values[reference]];
    cells.slice(0, 3).forEach((cell, colour) => (cell.textContent = own?.[colour] ?? "–"));
    cells[3].textContent =
      index === reference ? "reference" : own && other ? signedDifference(own, other) : "–";
    if (own) magnify(around.firstElementChild, panes[index].picture, at);
  });
}

const signedDifference = (own, other) =>
  own.map((value, i) => value - other[i]).map((d) => (d > 0 ? `+${d}` : `${d}`.replace("-", "−"))).join(" ");

function magnify(canvas, picture, at) {
  const context = canvas.getContext("2d");
  const side = canvas.width;
  canvas.style.width = canvas.style.height = `${side / window.devicePixelRatio}px`;
  context.clearRect(0, 0, side, side);
  picture.draw(context, (AROUND - at.x) * SQUARE, (AROUND - at.y) * SQUARE, SQUARE);
  context.strokeStyle = "#fff";
  context.strokeRect(AROUND * SQUARE - 0.5, AROUND * SQUARE - 0.5, SQUARE + 1, SQUARE + 1);
  context.strokeStyle = "#000";
  context.strokeRect(AROUND * SQUARE - 1.5, AROUND * SQUARE - 1.5, SQUARE + 3, SQUARE + 3);
}
