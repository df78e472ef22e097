// What the charts of a study share: what is said of an individual, scales of genes, and rings round those selected.

import { called, gene, number, score } from "../format.js";
import { rowOf } from "../fold.js";
import { selected } from "../selection.js";
import { axis } from "../figure.js";
import { colours } from "../theme.js";

/** What a chart says of an individual that is pointed at. */
function about({ individuals }, row) {
  const { id, fitness, status, generation, origin, parents, genes } = individuals;
  const first = `${called(id[row])}  ${status[row] === "scored" ? score(fitness[row]) : status[row]}`;
  const from = parents[row].length ? `${origin[row]} of ${parents[row].map(called).join(", ")}` : origin[row];
  const values = Object.keys(genes)
    .slice(0, 12)
    .map((name) => `${name}  ${gene(genes[name][row])}`);
  return [first, `generation ${generation[row] + 1}, ${from}`, ...values].join("\n");
}

/** A tooltip for marks whose values end with an id. */
export function tooltipFor(snapshot) {
  return {
    formatter: ({ value }) => {
      const row = Array.isArray(value) ? rowOf(snapshot, value.at(-1)) : undefined;
      return row === undefined ? "" : about(snapshot, row);
    },
  };
}

/** Rings round the selected: a series of their own, so that a selection redraws no other mark. */
export function rings(points, more = {}) {
  const { ink } = colours();
  return {
    id: "selected",
    type: "scatter",
    data: points.filter((point) => selected().has(point.at(-1))),
    symbol: "circle",
    symbolSize: 15,
    silent: true,
    z: 9,
    itemStyle: { color: "transparent", borderColor: ink, borderWidth: 2 },
    ...more,
  };
}

/** What makes many marks cheap: beyond these ECharts draws a series as one shape. */
export const MANY = { large: true, largeThreshold: 150 };

/** How large marks are, and how opaque: many are small and faint, so that one sees where they lie thick. */
export function grain(count) {
  if (count <= 600) return { symbolSize: 8, opacity: 0.75 };
  return count <= 3000 ? { symbolSize: 5, opacity: 0.6 } : { symbolSize: 3.5, opacity: 0.5 };
}

/** An axis for a gene. */
export function geneAxis(spec, more = {}) {
  if (spec.kind === "choice" || spec.values) {
    return axis({ type: "category", data: spec.values.map(String), axisTick: { show: false }, ...more });
  }
  const log = spec.scale === "log" && spec.low > 0;
  return axis({
    type: log ? "log" : "value",
    min: spec.low,
    max: spec.high,
    minInterval: spec.kind === "int" ? 1 : 0,
    ...more,
    axisLabel: {
      fontSize: 10,
      color: colours().muted,
      hideOverlap: true,
      textBorderColor: colours().paper,
      textBorderWidth: 3,
      formatter: (value) => number(value),
      ...more.axisLabel,
    },
  });
}

/** A gene's value, as its axis takes it. */
export function geneValue(spec, value) {
  return spec.values ? String(value) : value;
}

/** Rows of a figure's table: of individuals, as many columns as are named. */
export function individualRows(snapshot, rows, ...columns) {
  const { id, fitness, status } = snapshot.individuals;
  const fit = (row) => (status[row] === "scored" ? score(fitness[row]) : status[row]);
  return rows.map((row) => [called(id[row]), fit(row), ...columns.map((column) => column(row))]);
}
