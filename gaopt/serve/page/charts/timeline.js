// What each worker did when, and where it idled: trainings packed into as many lanes as ran at once.

import { workerLanes } from "../derive.js";
import { axis, figure } from "../figure.js";
import { called, duration, percent, plural } from "../format.js";
import { selected, toggle } from "../selection.js";
import { colours } from "../theme.js";
import { tooltipFor } from "./parts.js";

const DRAWN = 2000; // trainings; more would be thinner than a pixel

export function timelineChart(store) {
  const self = figure({
    id: "timeline",
    title: "Workers over time",
    short: "Workers",
    caption: "A bar for each training. What is shaded is idle: a worker that waits, or a search that was put down.",
    legend: [
      ["scored", "scored"],
      ["best", "selected"],
      ["running", "being trained"],
      ["failed", "failed"],
      ["idle", "idle"],
    ],
    draw: () => drawn(store),
    pick: toggle,
  });
  return self;
}

function drawn(store) {
  const { snapshot } = store;
  const now = store.now();
  const { bars, lanes } = workerLanes(snapshot, now);
  if (!bars.length) return { empty: "No training has begun yet." };
  const start = bars[0][2];
  const end = bars.reduce((most, bar) => Math.max(most, bar[3]), 0);
  const worked = bars.reduce((sum, bar) => sum + bar[3] - bar[2], 0);
  const idle = Math.max(0, lanes * (end - start) - worked);
  const { id, status } = snapshot.individuals;
  return {
    option: option(snapshot, bars.slice(-DRAWN), lanes, start, end),
    height: Math.min(560, Math.max(120, 30 * lanes + 64)),
    sentence: `${plural(lanes, "worker")} over ${duration(end - start)}: idle ${duration(idle)}, which is ${percent(idle / Math.max(1e-9, lanes * (end - start)))} of their time.${bars.length > DRAWN ? ` The last ${DRAWN} trainings are drawn.` : ""}`,
    columns: ["individual", "worker", "began after", "took", "state"],
    rows: () => bars.map(([row, lane, from, to]) => [called(id[row]), lane + 1, duration(from - start), duration(to - from), status[row]]),
  };
}

function drawBar({ paper, best, scored, running, lost, idle }) {
  const inside = [scored, running, lost, best];
  return (_, api) => {
    const [lane, from, to, kind] = [0, 1, 2, 3].map((dimension) => api.value(dimension));
    const [x0, y] = api.coord([from, lane]);
    const [x1] = api.coord([to, lane]);
    const tall = api.size([0, 1])[1];
    const height = tall * (kind < 0 ? 0.86 : 0.66);
    const shape = { x: x0, y: y - height / 2, width: Math.max(x1 - x0, 1), height, r: Math.min(3, height / 4, (x1 - x0) / 4) };
    if (kind < 0) return { type: "rect", shape, style: { fill: idle } };
    return { type: "rect", shape, style: { fill: inside[kind], stroke: paper, lineWidth: x1 - x0 > 4 && tall > 6 ? 1 : 0 } };
  };
}

function option(snapshot, bars, lanes, start, end) {
  const theme = colours();
  const { id, status } = snapshot.individuals;
  const kind = (row) => (selected().has(id[row]) ? 3 : status[row] === "running" ? 1 : status[row] === "failed" ? 2 : 0);
  const worker = drawBar(theme);
  const shape = { type: "custom", renderItem: worker, encode: { x: [1, 2], y: 0 }, clip: true };
  const step = Math.max(1, Math.ceil(lanes / 16));
  const customValues = Array.from({ length: Math.ceil(lanes / step) }, (_, place) => place * step);
  return {
    grid: { left: 78, right: 14, top: 8, bottom: 40 },
    xAxis: axis({
      type: "value",
      min: bars[0][2] - start,
      max: end - start,
      name: "since the first training",
      nameGap: 24,
      splitLine: { show: false },
      axisLabel: { color: theme.muted, fontSize: 11, hideOverlap: true, formatter: (value) => (value ? duration(value) : "0") },
    }),
    yAxis: axis({
      type: "value",
      min: -0.5,
      max: lanes - 0.5,
      inverse: true,
      splitLine: { show: false },
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { color: theme.muted, fontSize: 11, customValues, formatter: (value) => `worker ${value + 1}` },
    }),
    dataZoom: [{ type: "inside", xAxisIndex: 0, zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, filterMode: "weakFilter" }],
    tooltip: tooltipFor(snapshot),
    series: [
      { id: "idle", ...shape, data: Array.from({ length: lanes }, (_, lane) => [lane, 0, end - start, -1]), silent: true, z: 1 },
      {
        id: "trainings",
        ...shape,
        data: bars.map(([row, lane, from, to]) => [lane, from - start, to - start, kind(row), id[row]]),
        z: 2,
        progressive: 1000,
      },
    ],
  };
}
