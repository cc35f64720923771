const SVG = "http://www.w3.org/2000/svg";
const LINE = 18;
const SHARPER = 2;

/** The charts that can be seen, in their order. */
const charts = () =>
  [...document.querySelectorAll(".js-plotly-plot")].filter((one) => one.getClientRects().length);

function titleOf(chart) {
  const element = chart.closest('[data-testid="stPlotlyChart"]');
  const told = element?.querySelector("[aria-label]") ?? element;
  return told?.getAttribute("aria-label") || "Figure";
}

/** What a reader has to know to get the same figure again. */
const conditions = (chart) => [
  titleOf(chart),
  document.title,
  decodeURI(location.href),
  new Date().toISOString().slice(0, 10),
];

/** The chart as one SVG, its conditions in words below it. */
function asSvg(chart) {
  const { width, height } = chart.getBoundingClientRect();
  const words = conditions(chart);
  const svg = document.createElementNS(SVG, "svg");
  const total = height + LINE * (words.length + 1);
  svg.setAttribute("xmlns", SVG);
  svg.setAttribute("width", width);
  svg.setAttribute("height", total);
  svg.setAttribute("viewBox", `0 0 ${width} ${total}`);
  const add = (name, attributes, text = "") => {
    const element = svg.appendChild(document.createElementNS(SVG, name));
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };
  const style = getComputedStyle(document.querySelector('[data-testid="stApp"]'));
  add("title", {}, words.join("; "));
  add("rect", { width: "100%", height: "100%", fill: style.backgroundColor });
  for (const layer of chart.querySelectorAll(".main-svg")) {
    const group = add("g", {});
    for (const part of layer.children) group.append(part.cloneNode(true));
  }
  words.forEach((text, line) =>
    add(
      "text",
      { x: 8, y: height + LINE * (line + 1), "font-size": 12, fill: style.color, "font-family": "sans-serif" },
      text,
    ),
  );
  return new XMLSerializer().serializeToString(svg);
}

async function asPng(chart) {
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(asSvg(chart))}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SHARPER * picture.width;
  canvas.height = SHARPER * picture.height;
  const context = canvas.getContext("2d");
  context.scale(SHARPER, SHARPER);
  context.drawImage(picture, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

const cell = (value) => {
  const text = String(value ?? "");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Every value that is drawn, a row each: its line, x, y, and z where there is one. */
function asCsv(chart) {
  const rows = [["line", "x", "y", "z"]];
  for (const line of chart._fullData ?? []) {
    const name = line.name ?? "";
    if (line.z) {
      [...line.z].forEach((row, y) =>
        [...row].forEach((z, x) => rows.push([name, line.x?.[x] ?? x, line.y?.[y] ?? y, z])),
      );
    } else {
      [...(line.x ?? [])].forEach((x, place) => rows.push([name, x, line.y?.[place]]));
    }
  }
  const head = conditions(chart).map((text) => `# ${text}`);
  return [...head, ...rows.map((row) => row.map(cell).join(","))].join("\n") + "\n";
}

async function save(chart, ending) {
  const made = { svg: asSvg, png: asPng, csv: asCsv }[ending];
  const type = { svg: "image/svg+xml", png: "image/png", csv: "text/csv" }[ending];
  const content = new Blob([await made(chart)], { type });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = `bitlens-${titleOf(chart).toLowerCase().replace(/[^a-z0-9]+/g, "-")}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function entry(chart, dialog, endings) {
  const item = document.createElement("li");
  const title = item.appendChild(document.createElement("span"));
  title.textContent = titleOf(chart);
  const offer = (label, act) => {
    const button = item.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = label;
    button.setAttribute("aria-label", `${label}: ${title.textContent}`);
    button.onclick = act;
  };
  for (const ending of endings) {
    offer(ending.toUpperCase(), () => save(chart, ending));
  }
  offer("Full screen", () => {
    dialog.close();
    chart.closest('[data-testid="stPlotlyChart"]')?.requestFullscreen?.();
  });
  return item;
}

export default function ({ data, parentElement }) {
  const dialog = parentElement.querySelector("dialog");
  const list = dialog.querySelector("ul");
  parentElement.querySelector(".open").onclick = () => {
    const found = charts();
    list.replaceChildren(...found.map((chart) => entry(chart, dialog, data.endings)));
    if (!found.length) list.textContent = "There is no chart on this page yet.";
    dialog.showModal();
  };
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
}
