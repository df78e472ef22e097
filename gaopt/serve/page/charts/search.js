// Every individual by generation, and the best so far.

import { bestRow, fitnessRange, positions, searchedRows, showEverything } from "../derive.js";
import { el } from "../dom.js";
import { axis, figure, generationAxis } from "../figure.js";
import { called, plural, score } from "../format.js";
import { toggle } from "../selection.js";
import { colours } from "../theme.js";
import { MANY, grain, individualRows, rings, tooltipFor } from "./parts.js";

export function searchChart(store) {
  const everything = el("input", {
    type: "checkbox",
    on: {
      change: ({ target }) => {
        showEverything(store.snapshot, target.checked);
        store.redraw();
      },
    },
  });
  return figure({
    id: "search",
    title: "Every individual by generation",
    short: "Search",
    caption: "Higher is better. The line is the best so far. Click an individual to select it everywhere on this page.",
    legend: [
      ["scored", "scored"],
      ["best", "best"],
      ["running", "being trained"],
      ["failed", "failed"],
      ["below", "far below"],
      ["early", "left on a rung"],
    ],
    controls: [el("label", null, everything, " all fitnesses")],
    draw: () => drawn(store.snapshot),
    pick: toggle,
  });
}

function drawn(snapshot) {
  const marks = sorted(snapshot);
  const best = bestRow(snapshot);
  const rows = searchedRows(snapshot);
  if (!rows.length) return { empty: "No individual yet." };
  const { id, fitness, generation } = snapshot.individuals;
  const name =
    best < 0 ? "nothing is scored yet" : `the best is ${called(id[best])} with ${score(fitness[best])}, born in generation ${generation[best] + 1}`;
  return {
    option: option(snapshot, marks),
    height: 320,
    sentence: `${plural(rows.length, "individual")} in ${plural(snapshot.generations.length, "generation")}; ${name}.`,
    columns: ["individual", "fitness", "generation"],
    rows: () => individualRows(snapshot, rows, (row) => generation[row] + 1),
  };
}

/** Marks by kind, each [across, up, id]. What has no score lies at the bottom. */
function sorted(snapshot) {
  const { id, fitness, status } = snapshot.individuals;
  const [low] = fitnessRange(snapshot);
  const best = bestRow(snapshot);
  const marks = { scored: [], below: [], best: [], running: [], waiting: [], early: [], failed: [], line: [] };
  let top = -Infinity;
  for (const [row, across] of positions(snapshot)) {
    const kind = status[row] !== "scored" ? status[row] : fitness[row] < low ? "below" : row === best ? "best" : "scored";
    const shown = ["scored", "best", "early"].includes(kind) && fitness[row] !== null;
    marks[kind].push([across, shown ? Math.max(fitness[row], low) : low, id[row]]);
    if (status[row] === "scored" && fitness[row] > top) {
      top = fitness[row];
      marks.line.push([across, Math.max(top, low)]);
    }
  }
  if (marks.line.length) marks.line.push([snapshot.generations.length + 0.5, top]);
  return marks;
}

function option(snapshot, marks) {
  const { best, scored, running, lost, muted, paper } = colours();
  const [low, high, interval] = fitnessRange(snapshot);
  const { symbolSize, opacity } = grain(snapshot.individuals.id.length);
  const points = (id, data, color, more = {}) => ({ id, type: "scatter", data, symbolSize, itemStyle: { color, opacity }, ...more });
  const hollow = (color) => ({ itemStyle: { color: paper, borderColor: color, borderWidth: 1.6, opacity: 1 } });
  return {
    grid: { left: 54, right: 14, top: 14, bottom: 40 },
    xAxis: generationAxis(Math.max(snapshot.generations.length, 1)),
    yAxis: axis({
      type: "value",
      min: low,
      max: high,
      interval,
      axisLabel: { color: muted, fontSize: 11, formatter: (value) => Number(value.toPrecision(3)) },
    }),
    dataZoom: [{ type: "inside", yAxisIndex: 0, zoomOnMouseWheel: "ctrl", moveOnMouseMove: false, filterMode: "none" }],
    tooltip: tooltipFor(snapshot),
    series: [
      { id: "line", type: "line", step: "end", data: marks.line, showSymbol: false, silent: true, lineStyle: { color: best, width: 1.5 } },
      points("scored", marks.scored, scored, MANY),
      points("below", marks.below, scored, { symbol: "triangle", symbolRotate: 180, symbolSize: symbolSize * 0.9, ...MANY }),
      points("early", marks.early, lost, { symbol: "diamond", ...hollow(lost) }),
      points("failed", marks.failed, lost, { symbol: "path://M0,1L1,0L5,4L9,0L10,1L6,5L10,9L9,10L5,6L1,10L0,9L4,5Z" }),
      points("waiting", marks.waiting, lost, { symbolSize: 6, ...hollow(lost) }),
      points("running", marks.running, running, hollow(running)),
      points("best", marks.best, best, { symbolSize: 11, itemStyle: { color: best }, z: 5 }),
      rings(["scored", "below", "best", "running", "waiting", "early", "failed"].flatMap((kind) => marks[kind])),
    ],
  };
}
