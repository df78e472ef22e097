// What the model expected of each individual beside what came.

import { fitnessRange } from "../derive.js";
import { axis, figure } from "../figure.js";
import { called, percent, plural, score } from "../format.js";
import { toggle } from "../selection.js";
import { colours } from "../theme.js";
import { MANY, grain, rings, tooltipFor } from "./parts.js";

const BARS = 400; // intervals of more would hide the points

export function expectedChart(store) {
  return figure({
    id: "expected",
    title: "What the model expected, and what came",
    short: "Model",
    caption:
      "On the line it came as expected; above it, better. A bar spans two standard deviations to each side: about 19 of 20 should reach the line. It is asked where it hopes for most, so more come below than above.",
    legend: [
      ["scored", "scored"],
      ["running", "not scored yet"],
    ],
    draw: () => drawn(store.snapshot),
    pick: toggle,
  });
}

/** [expected, fitness or null, deviation, id], and how many came within two deviations. */
function foreseen({ individuals }) {
  const rows = individuals.id
    .map((_, row) => row)
    .filter((row) => typeof individuals.expected[row] === "number" && individuals.origin[row] !== "repeat");
  return rows.map((row) => [
    individuals.expected[row],
    individuals.fitness[row],
    individuals.deviation[row] ?? 0,
    individuals.id[row],
    individuals.status[row],
  ]);
}

function drawn(snapshot) {
  const all = foreseen(snapshot);
  if (!all.length)
    return { empty: "The model has expected nothing yet: it begins once the first generation is scored, and only some strategies have one." };
  const came = all.filter(([, fitness]) => typeof fitness === "number");
  const within = came.filter(([expected, fitness, deviation]) => Math.abs(fitness - expected) <= 2 * deviation).length;
  const off = came.reduce((sum, [expected, fitness]) => sum + fitness - expected, 0) / Math.max(1, came.length);
  const trend =
    Math.abs(off) < 1e-4 ? "on the whole as expected" : `on average ${score(Math.abs(off))} ${off > 0 ? "better" : "worse"} than expected`;
  return {
    option: option(snapshot, all, came),
    height: 320,
    sentence: came.length
      ? `${within.toLocaleString("en")} of ${came.length.toLocaleString("en")} (${percent(within / came.length)}) came within two standard deviations; ${trend}.`
      : `${plural(all.length, "individual")} expected, none scored yet.`,
    columns: ["individual", "expected", "± deviation", "came", "difference"],
    rows: () =>
      all.map(([expected, fitness, deviation, id, status]) => [
        called(id),
        score(expected),
        score(deviation),
        typeof fitness === "number" ? score(fitness) : status,
        typeof fitness === "number" ? score(fitness - expected) : "–",
      ]),
  };
}

function drawInterval(color) {
  return (_, api) => {
    const [from, y] = api.coord([api.value(0), api.value(2)]);
    const [to] = api.coord([api.value(1), api.value(2)]);
    return { type: "line", shape: { x1: from, y1: y, x2: to, y2: y }, style: { stroke: color, lineWidth: 1, opacity: 0.45 } };
  };
}

function option(snapshot, all, came) {
  const { scored, running, lost, muted, paper } = colours();
  const { symbolSize, opacity } = grain(came.length);
  const [low, high, interval] = fitnessRange(snapshot);
  const label = { color: muted, fontSize: 11, formatter: (value) => Number(value.toPrecision(3)) };
  const inside = (value) => Math.max(low, Math.min(high, value));
  const points = came.map(([expected, fitness, , id]) => [inside(expected), inside(fitness), id]);
  const coming = all
    .filter(([, , , , status]) => status === "waiting" || status === "running")
    .map(([expected, , , id]) => [inside(expected), low, id]);
  const bars = came
    .slice(-BARS)
    .map(([expected, fitness, deviation]) => [inside(expected - 2 * deviation), inside(expected + 2 * deviation), inside(fitness)]);
  return {
    grid: { left: 54, right: 14, top: 14, bottom: 40 },
    xAxis: axis({ type: "value", min: low, max: high, interval, name: "expected", nameGap: 24, axisLabel: label }),
    yAxis: axis({ type: "value", min: low, max: high, interval, name: "came", nameGap: 40, axisLabel: label }),
    tooltip: tooltipFor(snapshot),
    series: [
      {
        id: "as-expected",
        type: "line",
        data: [
          [low, low],
          [high, high],
        ],
        showSymbol: false,
        silent: true,
        lineStyle: { color: lost, type: [4, 4], width: 1 },
      },
      { id: "intervals", type: "custom", data: bars, renderItem: drawInterval(scored), silent: true, encode: { x: [0, 1], y: 2 }, clip: true },
      { id: "points", type: "scatter", data: points, symbolSize, ...MANY, itemStyle: { color: scored, opacity } },
      { id: "coming", type: "scatter", data: coming, symbolSize: 8, itemStyle: { color: paper, borderColor: running, borderWidth: 1.6 } },
      rings([...points, ...coming]),
    ],
  };
}
