// Fitness by each gene: where in its range the good ones lie.

import { bestRow, fitnessRange, rankedRows, scoredRows, varyingGenes } from "../derive.js";
import { axis, figure } from "../figure.js";
import { gene, plural } from "../format.js";
import { toggle } from "../selection.js";
import { colours, shade } from "../theme.js";
import { MANY, grain, geneAxis, geneValue, individualRows, rings, tooltipFor } from "./parts.js";

const PANEL = 190;
const MOST = 12;
const POINTS = 2000; // of the fittest

export function sliceChart(store) {
  return figure({
    id: "slice",
    title: "Fitness by each gene",
    short: "Genes",
    caption:
      "A panel for each gene that varies, all on the same scale of fitness. The later the generation, the stronger the colour; the best is orange.",
    draw: (width) => drawn(store.snapshot, width),
    pick: toggle,
  });
}

function drawn(snapshot, width) {
  const names = varyingGenes(snapshot).slice(0, MOST);
  const scored = scoredRows(snapshot);
  const rows = scored.length > POINTS ? rankedRows(snapshot).slice(0, POINTS) : scored;
  if (!rows.length || !names.length) return { empty: "Nothing is scored yet." };
  const most = Math.max(1, Math.min(names.length, Math.floor(width / 260)));
  const columns = Math.ceil(names.length / Math.ceil(names.length / most)); // rows of equal length
  const { genes } = snapshot.individuals;
  const best = bestRow(snapshot);
  return {
    option: option(snapshot, names, rows, columns, width),
    height: Math.ceil(names.length / columns) * PANEL,
    sentence: `${plural(rows.length, "scored individual")}${rows.length < scored.length ? `, the fittest of ${scored.length.toLocaleString("en")},` : ""} over ${plural(names.length, "gene")}; the best has ${names.map((name) => `${name} ${gene(genes[name][best])}`).join(", ")}.`,
    columns: ["individual", "fitness", ...names],
    rows: () => individualRows(snapshot, rows, ...names.map((name) => (row) => gene(genes[name][row]))),
  };
}

/** Points [gene, fitness, id] by sixth of the search, so that the colours of many need no style each. */
function groups(snapshot, rows, spec, name) {
  const { individuals } = snapshot;
  const [low] = fitnessRange(snapshot);
  const count = snapshot.generations.length;
  const found = Array.from({ length: 6 }, () => []);
  for (const row of rows) {
    const value = individuals.genes[name][row];
    if (value === null) continue;
    const place = Math.min(5, Math.floor((6 * (individuals.generation[row] + 0.5)) / count));
    found[place].push([geneValue(spec, value), Math.max(individuals.fitness[row], low), individuals.id[row]]);
  }
  return found;
}

function option(snapshot, names, rows, columns, width) {
  const { best, generation, muted } = colours();
  const [low, high, interval] = fitnessRange(snapshot);
  const step = width / columns;
  const bestId = snapshot.individuals.id[bestRow(snapshot)];
  const made = { grid: [], xAxis: [], yAxis: [], series: [], tooltip: tooltipFor(snapshot) };
  names.forEach((name, panel) => {
    const spec = snapshot.space[name];
    const column = panel % columns;
    const place = { xAxisIndex: panel, yAxisIndex: panel };
    made.grid.push({ left: column * step + 48, width: step - 62, top: Math.floor(panel / columns) * PANEL + 12, height: PANEL - 62 });
    made.xAxis.push(geneAxis(spec, { gridIndex: panel, name, nameGap: 22, splitLine: { show: false } }));
    made.yAxis.push(
      axis({
        type: "value",
        gridIndex: panel,
        min: low,
        max: high,
        interval,
        axisLabel: { show: true, color: muted, fontSize: 10, formatter: (value) => Number(value.toPrecision(3)) },
      }),
    );
    const found = groups(snapshot, rows, spec, name);
    found.forEach((data, age) =>
      made.series.push({
        id: `${name}-${age}`,
        type: "scatter",
        data,
        ...place,
        symbolSize: grain(rows.length).symbolSize,
        ...MANY,
        itemStyle: { color: shade(generation, (age + 0.5) / 6), opacity: 0.8 },
      }),
    );
    const all = found.flat();
    made.series.push({
      id: `${name}-best`,
      type: "scatter",
      data: all.filter((point) => point.at(-1) === bestId),
      ...place,
      symbolSize: 11,
      itemStyle: { color: best },
      z: 5,
    });
    made.series.push(rings(all, { id: `${name}-selected`, ...place }));
  });
  return made;
}
