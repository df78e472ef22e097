// A chart with what a canvas lacks: a title, a sentence that says what it shows, and its numbers as a table.

import { interactive } from "./api.js";
import { el, fill, save } from "./dom.js";
import { colours, onColours } from "./theme.js";

const TABLE_ROWS = 500;
const REST = 400; // ms between two drawings of a figure, at least; more where it takes long
const REPLACED = ["series", "xAxis", "yAxis", "grid"]; // what is gone from an option goes from the chart, too
const figures = new Set();
let loading = null;

/** ECharts, loaded with the first chart. */
function library() {
  if (globalThis.echarts) return Promise.resolve(globalThis.echarts);
  loading ??= new Promise((resolve, reject) => {
    const src = new URL("./vendor/echarts.min.js", import.meta.url);
    document.head.append(el("script", { src, on: { load: () => resolve(globalThis.echarts), error: reject } }));
  });
  return loading;
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      target.figure.visible = isIntersecting;
      if (isIntersecting) schedule(target.figure);
    }
  },
  { rootMargin: "200px" },
);
const sized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const { chart } = target.figure;
    if (chart && target.clientWidth && (chart.getWidth() !== target.clientWidth || chart.getHeight() !== target.clientHeight)) {
      chart.resize();
      schedule(target.figure);
    }
  }
});

/**
 * A figure: `draw(width)` gives {option, height, sentence, columns, rows()} or {empty: sentence}, and `replace` if
 * other parts than series, axes and grids may go; `pick(id)` is called
 * with the last number of a mark's value when it is clicked. Call `update()` when what it shows has changed.
 */
export function figure({ id, title, short = title, caption, legend = [], controls = [], draw, pick, ready }) {
  const canvas = el("div", { class: "canvas", role: "img", "aria-label": title, style: { height: "300px" } });
  const table = el("div", { class: "wide", hidden: true, tabindex: 0, role: "region", "aria-label": `${title}, as a table` });
  const said = el("p", { class: "said" });
  const tabled = el("button", { type: "button", class: "quiet", "aria-pressed": "false", on: { click: () => flip(self) } }, "Table");
  const image = el("button", { type: "button", class: "quiet", on: { click: () => download(self) } }, "Image");
  const key = el(
    "ul",
    { class: "legend" },
    legend.map(([name, text]) => el("li", { class: `key-${name}` }, text)),
  );
  const node = el(
    "section",
    { class: "figure", id, "aria-labelledby": `${id}-title` },
    el("header", null, el("h2", { id: `${id}-title` }, title), el("div", { class: "tools" }, controls, tabled, interactive ? null : image)),
    el("p", { class: "caption" }, caption),
    legend.length ? key : null,
    canvas,
    table,
    said,
  );
  const about = [node.querySelector(".caption"), key];
  const self = {
    id,
    title,
    short,
    about,
    node,
    canvas,
    table,
    said,
    tabled,
    draw,
    pick,
    ready,
    chart: null,
    visible: false,
    dirty: true,
    at: 0,
    cost: 0,
    timer: 0,
  };
  self.update = () => schedule(self);
  canvas.figure = node.figure = self;
  figures.add(self);
  seen.observe(node);
  sized.observe(canvas);
  return self;
}

function schedule(self) {
  self.dirty = true;
  if (self.timer || !self.visible) return;
  self.timer = setTimeout(
    () => {
      self.timer = 0;
      queue(self);
    },
    Math.max(0, Math.max(REST, 8 * self.cost) - (performance.now() - self.at)),
  );
}

const queued = new Set();

/** One figure a frame: many at once would hold up whoever scrolls. */
function queue(self) {
  if (!queued.size) requestAnimationFrame(drain);
  queued.add(self);
}

function drain() {
  const [first] = queued;
  queued.delete(first);
  if (queued.size) requestAnimationFrame(drain);
  if (first.dirty) library().then((echarts) => paint(first, echarts));
}

function paint(self, echarts) {
  self.dirty = false;
  const started = performance.now();
  const { option, height = 300, sentence, empty, columns, rows, replace = REPLACED } = self.draw(self.node.clientWidth);
  self.said.textContent = empty ?? sentence;
  self.canvas.setAttribute("aria-label", `${self.title}. ${empty ?? sentence}`);
  self.canvas.hidden = Boolean(empty) || !self.table.hidden;
  for (const part of self.about) part.hidden = Boolean(empty);
  if (!self.table.hidden && columns) fillTable(self.table, columns, rows());
  if (empty || self.canvas.hidden) return;
  self.canvas.style.setProperty("height", `${height}px`);
  if (!self.chart) begin(self, echarts);
  else if (self.chart.getHeight() !== height) self.chart.resize();
  const shared = look();
  const tooltip = { ...shared.tooltip, ...option.tooltip };
  self.chart.setOption({ ...shared, ...option, tooltip }, { replaceMerge: replace.filter((kind) => kind in option) });
  self.at = performance.now();
  self.cost = self.at - started;
}

function begin(self, echarts) {
  self.chart = echarts.init(self.canvas, null, { renderer: "canvas" });
  self.chart.on("click", ({ value }) => Array.isArray(value) && self.pick?.(value.at(-1)));
  self.ready?.(self.chart);
}

function look() {
  const { ink, muted, paper, line } = colours();
  return {
    animation: false,
    textStyle: { fontFamily: "system-ui, sans-serif", color: muted },
    tooltip: {
      renderMode: "richText",
      confine: true,
      backgroundColor: paper,
      borderColor: line,
      borderWidth: 1,
      padding: [6, 9],
      textStyle: { color: ink, fontSize: 12, lineHeight: 17 },
    },
  };
}

/** The style of an axis; `more` overrides. */
export function axis(more = {}) {
  const { muted, line } = colours();
  return {
    axisLine: { lineStyle: { color: line } },
    axisTick: { lineStyle: { color: line } },
    splitLine: { lineStyle: { color: line } },
    axisLabel: { color: muted, fontSize: 11, hideOverlap: true },
    nameTextStyle: { color: muted, fontSize: 11 },
    nameLocation: "middle",
    ...more,
  };
}

/** An axis of generations, counted from 1, with a label for at most twelve of them. */
export function generationAxis(count, margin = 0.5) {
  const step = Math.max(1, Math.ceil(count / 12));
  const customValues = Array.from({ length: Math.ceil(count / step) }, (_, place) => 1 + place * step);
  const { muted } = colours();
  return axis({
    type: "value",
    min: 1 - margin,
    max: count + margin,
    name: "generation",
    nameGap: 24,
    splitLine: { show: false },
    axisTick: { customValues },
    axisLabel: { color: muted, fontSize: 11, customValues, formatter: String },
  });
}

function flip(self) {
  const shown = self.table.hidden;
  self.tabled.setAttribute("aria-pressed", String(shown));
  self.table.hidden = !shown;
  library().then((echarts) => paint(self, echarts));
}

function download(self) {
  if (self.chart) save(`${self.id}.png`, self.chart.getDataURL({ pixelRatio: 2, backgroundColor: colours().paper }));
}

function fillTable(node, columns, rows) {
  const cell = (value) => el("td", { class: typeof value === "string" && !/^[\d.–−e%-]/.test(value) ? "text" : null }, String(value ?? "–"));
  fill(
    node,
    el(
      "table",
      null,
      el(
        "thead",
        null,
        el(
          "tr",
          null,
          columns.map((name) => el("th", { scope: "col" }, name)),
        ),
      ),
      el(
        "tbody",
        null,
        rows.slice(0, TABLE_ROWS).map((row) => el("tr", null, row.map(cell))),
      ),
    ),
    rows.length > TABLE_ROWS ? el("p", { class: "note" }, `The first ${TABLE_ROWS} of ${rows.length}; individuals.csv has all.`) : null,
  );
}

onColours(() => {
  for (const self of figures) {
    if (!self.chart) continue;
    paint(self, globalThis.echarts);
    self.chart.getZr().flush();
  }
});
