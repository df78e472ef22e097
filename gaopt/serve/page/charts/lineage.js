// Who descends from whom, growing as individuals are born: survivors go straight on, curves lead from parents to offspring.

import { ancestors, bestRow, familyLanes, fitnessRange } from "../derive.js";
import { figure, generationAxis } from "../figure.js";
import { rowOf } from "../fold.js";
import { called, plural } from "../format.js";
import { selected, toggle } from "../selection.js";
import { colours } from "../theme.js";
import { MANY, individualRows, rings, tooltipFor } from "./parts.js";

const EDGES = 3000; // beyond, only lines of descent are drawn

export function lineageChart(store) {
  return figure({
    id: "lineage",
    title: "Who descends from whom",
    short: "Lineage",
    caption:
      "From left to right by generation. A straight line is a survivor, a curve leads from a parent to its offspring; the descent of the selected, or else of the best, is orange. Hollow: no score yet.",
    draw: () => drawn(store.snapshot),
    pick: toggle,
  });
}

function drawn(snapshot) {
  const { generations, individuals } = snapshot;
  if (!generations.length) return { empty: "No individual yet." };
  const lanes = familyLanes(snapshot);
  const count = Math.max(...lanes.values(), 0) + 1;
  const best = bestRow(snapshot);
  const from = [...selected()].filter((id) => lanes.has(id));
  const line = ancestors(snapshot, from.length ? from : best < 0 ? [] : [individuals.id[best]]);
  const whose = from.length ? "the selected" : best < 0 ? "" : called(individuals.id[best]);
  return {
    option: option(snapshot, lanes, count, line),
    height: Math.min(560, Math.max(200, 26 * count + 60)),
    sentence: whose
      ? `${plural(Math.max(0, line.size - (from.length || 1)), "ancestor")} of ${whose} over ${plural(generations.length, "generation")}.`
      : "Nothing is scored yet.",
    columns: ["individual", "fitness", "generation", "origin", "parents"],
    rows: () =>
      individualRows(
        snapshot,
        [...lanes.keys()].map((id) => rowOf(snapshot, id)),
        (row) => individuals.generation[row] + 1,
        (row) => individuals.origin[row],
        (row) => individuals.parents[row].map(called).join(", ") || "–",
      ),
  };
}

/** Edges [x0, y0, x1, y1, whether of the line, whether it curves, id]: each birth from its parents, each survivor on. */
function edges(snapshot, lanes, line) {
  const { generations, individuals } = snapshot;
  const last = new Map();
  generations.forEach((ids, generation) => ids.forEach((id) => last.set(id, generation)));
  const found = [];
  for (const [id, lane] of lanes) {
    const row = rowOf(snapshot, id);
    const born = individuals.generation[row];
    if (last.get(id) > born) found.push([born, lane, last.get(id), lane, line.has(id), false, id]);
    for (const parent of individuals.parents[row]) {
      if (!lanes.has(parent)) continue;
      const own = individuals.generation[rowOf(snapshot, parent)];
      const at = Math.max(own, Math.min(born - 1, last.get(parent)));
      found.push([at, lanes.get(parent), born, lane, line.has(id) && line.has(parent), true, id]);
    }
  }
  return found.length > EDGES ? found.filter((edge) => edge[4]) : found.sort((one, other) => one[4] - other[4]);
}

function drawEdge({ best, lost }, edge) {
  return (_, api) => {
    const [x0, y0, x1, y1, own, curved] = edge(api);
    const [ax, ay] = api.coord([x0 + 1, y0]);
    const [bx, by] = api.coord([x1 + 1, y1]);
    const middle = (bx - ax) / 2;
    const style = { stroke: own ? best : lost, lineWidth: curved ? (own ? 2 : 0.8) : own ? 3 : 2, opacity: own ? 1 : curved ? 0.4 : 0.5, fill: null };
    return { type: "bezierCurve", shape: { x1: ax, y1: ay, x2: bx, y2: by, cpx1: ax + middle, cpy1: ay, cpx2: bx - middle, cpy2: by }, style };
  };
}

/** Marks [generation, lane, id] by how they look: six shades of fitness, the best, and those without a score. */
function marks(snapshot, lanes) {
  const { individuals } = snapshot;
  const [low, high] = fitnessRange(snapshot);
  const best = bestRow(snapshot);
  const found = { best: [], running: [], failed: [], none: [], shades: Array.from({ length: 6 }, () => []) };
  for (const [id, lane] of lanes) {
    const row = rowOf(snapshot, id);
    const place = Math.max(0, Math.min(5, Math.floor((6 * (individuals.fitness[row] - low)) / (high - low))));
    const state = individuals.status[row];
    const list = row === best ? found.best : state === "scored" ? found.shades[place] : (found[state] ?? found.none);
    list.push([individuals.generation[row] + 1, lane, id]);
  }
  return found;
}

function option(snapshot, lanes, count, line) {
  const theme = colours();
  const size = count > 150 ? 3 : count > 60 ? 5 : count > 24 ? 9 : 14;
  const found = marks(snapshot, lanes);
  const label = {
    show: size === 14 && snapshot.generations.length <= 12,
    position: "right",
    distance: 3,
    fontSize: 9,
    color: theme.muted,
    formatter: ({ value }) => value[2],
  };
  const points = (id, data, itemStyle, more) => ({
    id,
    type: "scatter",
    data,
    symbolSize: size,
    z: 3,
    itemStyle,
    label,
    labelLayout: { hideOverlap: true },
    ...more,
  });
  const hollow = (borderColor) => ({ color: theme.paper, borderColor, borderWidth: size > 5 ? 2 : 1 });
  const all = [found.best, found.running, found.failed, found.none, ...found.shades].flat();
  return {
    grid: { left: 14, right: 14, top: 14, bottom: 40 },
    xAxis: generationAxis(Math.max(snapshot.generations.length, 2), 0.4),
    yAxis: { type: "value", min: -0.7, max: count - 0.3, inverse: true, show: false },
    tooltip: tooltipFor(snapshot),
    series: [
      {
        id: "edges",
        type: "custom",
        data: edges(snapshot, lanes, line).map((edge) => edge.map(Number)),
        encode: { x: [0, 2], y: [1, 3] },
        silent: true,
        z: 1,
        progressive: 500,
        renderItem: drawEdge(theme, (api) => [0, 1, 2, 3, 4, 5].map((dimension) => api.value(dimension))),
      },
      ...found.shades.map((data, place) =>
        points(`shade-${place}`, data, { color: theme.fitness[place], borderColor: theme.paper, borderWidth: size > 5 ? 1 : 0 }, MANY),
      ),
      points("none", found.none, hollow(theme.lost)),
      points("running", found.running, hollow(theme.running)),
      points("failed", found.failed, hollow(theme.lost), { symbol: "diamond" }),
      points("best", found.best, { color: theme.best }, { z: 4 }),
      rings(all, { symbolSize: size + 4 }),
    ],
  };
}
