// Parallel coordinates: a line for each individual over the genes that vary, to its fitness. Brushing selects.

import { bestRow, fitnessRange, scoredRows, rankedRows, varyingGenes } from "../derive.js";
import { axis, figure } from "../figure.js";
import { gene, plural } from "../format.js";
import { rowOf } from "../fold.js";
import { onSelect, select, selected } from "../selection.js";
import { colours, shade } from "../theme.js";
import { geneAxis, geneValue, individualRows } from "./parts.js";

const LINES = 1000;
const LIVE = 300; // lines while the study runs: they are drawn again and again
const AXES = 12;
const STRESSED = 12; // selected lines drawn in ink: more would hide the others

export function parallelChart(store) {
  let shown = [];
  let axes = "";
  return figure({
    id: "parallel",
    title: "Genes and fitness together",
    short: "Parallel coordinates",
    caption:
      "A line for each individual. Drag along an axis to select the lines that pass there; several axes narrow it down; click an axis to clear it.",
    draw: (width) => {
      const rows = rankedRows(store.snapshot)
        .filter((row) => store.snapshot.individuals.status[row] === "scored")
        .slice(0, store.snapshot.study.state === "running" ? LIVE : LINES);
      shown = rows.map((row) => store.snapshot.individuals.id[row]).reverse();
      const before = axes;
      axes = varyingGenes(store.snapshot).join();
      // Axes that stay keep what was brushed on them.
      return { ...drawn(store.snapshot, rows, width), replace: axes === before ? ["series"] : ["series", "parallelAxis"] };
    },
    ready: (chart) => brushing(chart, () => shown),
  });
}

/** What is brushed is selected; another selection takes the brushes away. */
function brushing(chart, shown) {
  let own = null; // the selection that the brushes made; "now" while they make it
  chart.on("axisareaselected", () => {
    const series = chart.getModel().getSeriesByIndex(0);
    const brushed = series.coordinateSystem.hasAxisBrushed();
    if (!brushed && !own) return;
    own = "now";
    select(brushed ? series.getRawIndicesByActiveState("active").map((place) => shown()[place]) : []);
    own = brushed ? selected() : null;
  });
  onSelect(() => {
    if (!own || own === "now" || own === selected()) return;
    own = null;
    chart
      .getOption()
      .parallelAxis.forEach((_, parallelAxisIndex) => chart.dispatchAction({ type: "axisAreaSelect", parallelAxisIndex, intervals: [] }));
  });
}

function drawn(snapshot, rows, width) {
  const names = varyingGenes(snapshot).slice(0, AXES);
  if (!rows.length || !names.length) return { empty: "Nothing is scored yet." };
  const { genes } = snapshot.individuals;
  const all = scoredRows(snapshot).length;
  return {
    option: option(snapshot, names, rows, width),
    height: width < 500 ? 90 * (names.length + 1) : 340,
    sentence: `${plural(rows.length, "line")}${all > rows.length ? `, the fittest of ${all.toLocaleString("en")}` : ""}, over ${plural(names.length, "gene")} that vary.`,
    columns: ["individual", "fitness", ...names],
    rows: () => individualRows(snapshot, rows, ...names.map((name) => (row) => gene(genes[name][row]))),
  };
}

function option(snapshot, names, rows, width) {
  const { best, fitness: scale, muted, ink, line, paper } = colours();
  const { individuals } = snapshot;
  const [low, high, interval] = fitnessRange(snapshot);
  const values = (row) => [
    ...names.map((name) => geneValue(snapshot.space[name], individuals.genes[name][row])),
    Math.max(low, individuals.fitness[row]),
  ];
  const own = bestRow(snapshot);
  const faint = rows.length > 200 ? 0.35 : 0.6;
  const color = (row) => (row === own ? best : shade(scale, (individuals.fitness[row] - low) / (high - low)));
  // The fittest last: they are drawn over the others.
  const data = [...rows]
    .reverse()
    .map((row) => ({ value: values(row), lineStyle: { color: color(row), opacity: row === own ? 1 : faint, width: row === own ? 2.5 : 1.2 } }));
  const chosen = [...selected()]
    .slice(0, 50)
    .map((id) => rowOf(snapshot, id))
    .filter((row) => row !== undefined && individuals.status[row] === "scored");
  const label = { color: muted, fontSize: 10, hideOverlap: true, textBorderColor: paper, textBorderWidth: 3 };
  const tall = width < 500;
  return {
    parallel: {
      left: tall ? 62 : 50,
      right: tall ? 24 : 60,
      top: 34,
      bottom: 20,
      layout: tall ? "vertical" : "horizontal",
      axisExpandable: false,
      parallelAxisDefault: {
        realtime: false,
        nameLocation: tall ? "start" : "end",
        nameGap: 12,
        nameTextStyle: { color: ink, fontSize: 12 },
        axisLine: { lineStyle: { color: muted } },
        areaSelectStyle: { width: 18, borderColor: best, color: best, opacity: 0.25 },
      },
    },
    parallelAxis: [
      ...names.map((name, dim) => ({
        ...geneAxis(snapshot.space[name], { axisLabel: label }),
        dim,
        name,
        nameLocation: tall ? "start" : "end",
        nameTextStyle: { color: ink },
        axisLine: { lineStyle: { color: line } },
      })),
      {
        ...axis(),
        dim: names.length,
        name: "fitness",
        min: low,
        max: high,
        interval,
        nameLocation: tall ? "start" : "end",
        nameTextStyle: { color: ink },
        axisLabel: { ...label, formatter: (value) => Number(value.toPrecision(3)) },
      },
    ],
    tooltip: { show: false },
    series: [
      { id: "lines", type: "parallel", data, inactiveOpacity: 0.06, activeOpacity: 0.9, progressive: 300 },
      {
        id: "selected",
        type: "parallel",
        data: chosen.length > STRESSED ? [] : chosen.map((row) => ({ value: values(row) })),
        lineStyle: { color: ink, width: 2, opacity: 0.9 },
        inactiveOpacity: 0.06,
        activeOpacity: 0.9,
        z: 4,
      },
    ],
  };
}
