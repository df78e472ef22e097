// Learning curves of those being trained, the fittest, and the selected.

import { bestRow, rankedRows } from "../derive.js";
import { el, fill } from "../dom.js";
import { axis, figure } from "../figure.js";
import { rowOf, runningRows } from "../fold.js";
import { called, number, plural } from "../format.js";
import { selected, toggle } from "../selection.js";
import { colours } from "../theme.js";

// One that is not always reported is what the search looks for.
export const PREFERRED = ["balanced", "macro_f1", "auc", "neg_log_loss", "top1", "valid_loss", "train_loss"];
const MOST = 40;

export function curvesChart(store) {
  const metric = el("select", { "aria-label": "Metric", on: { change: () => self.update() } });
  const count = el(
    "select",
    { "aria-label": "How many of the fittest", on: { change: () => self.update() } },
    [3, 5, 10, 20].map((each) => el("option", { value: each, selected: each === 5 }, `top ${each}`)),
  );
  const self = figure({
    id: "curves",
    title: "Learning curves",
    short: "Curves",
    caption: "Those being trained, the fittest, and the selected. The best is orange; who is being trained ends in a dot.",
    controls: [metric, count],
    draw: () => drawn(store, metric, Number(count.value)),
    pick: toggle,
  });
  return self;
}

function offer(select, metrics) {
  if (select.options.length === metrics.length) return;
  const chosen = select.value || PREFERRED.find((name) => metrics.includes(name));
  fill(
    select,
    metrics.map((name) => el("option", { value: name, selected: name === chosen }, name)),
  );
}

function shown(snapshot, count) {
  const { status, id } = snapshot.individuals;
  const top = rankedRows(snapshot)
    .slice(0, count)
    .filter((row) => status[row] === "scored");
  const chosen = [...selected()].map((each) => rowOf(snapshot, each)).filter((row) => row !== undefined);
  return [...new Set([...top, ...chosen, ...runningRows(snapshot)])].slice(0, MOST).map((row) => [row, id[row]]);
}

function drawn(store, select, count) {
  const { snapshot, curves } = store;
  offer(select, snapshot.metrics);
  const metric = select.value;
  const found = shown(snapshot, count);
  store.wantCurves(found.map(([, id]) => id));
  const lines = found.map(([row, id]) => ({ row, id, points: points(curves.get(id), metric) })).filter(({ points: each }) => each.length);
  if (!lines.length) return { empty: "No epoch has been reported yet." };
  const running = runningRows(snapshot).length;
  return {
    option: option(snapshot, metric, lines),
    height: 320,
    sentence: `${metric} by epoch of ${plural(lines.length, "individual")}${running ? `, ${running} of them being trained` : ""}.`,
    columns: ["individual", "epochs", `last ${metric}`, `best ${metric}`],
    rows: () =>
      lines.map(({ id, points: each }) => {
        const values = each.map(([, value]) => value);
        const best = metric.includes("loss") ? Math.min(...values) : Math.max(...values);
        return [called(id), each.at(-1)[0], number(values.at(-1), 4), number(best, 4)];
      }),
  };
}

function points(curve, metric) {
  const values = curve?.metrics[metric] ?? [];
  return (curve?.epoch ?? []).map((epoch, place) => [epoch, values[place]]).filter(([, value]) => typeof value === "number");
}

function option(snapshot, metric, lines) {
  const { shades, running, muted, ink } = colours();
  const own = bestRow(snapshot);
  const { status } = snapshot.individuals;
  const longest = Math.max(snapshot.epochs, ...lines.map(({ points: each }) => each.at(-1)[0]));
  let next = 1;
  const series = lines.map(({ row, id, points: each }) => {
    const live = status[row] === "running";
    const color = live ? running : row === own ? shades[0] : shades[1 + (next++ % (shades.length - 1))];
    const chosen = selected().has(id);
    return {
      id: `curve-${id}`,
      name: called(id),
      type: "line",
      data: each.map((point) => [...point, id]),
      symbol: "circle",
      symbolSize: (value) => (live && value[0] === each.at(-1)[0] ? 7 : 4),
      showSymbol: each.length === 1 || live,
      triggerLineEvent: true,
      z: chosen || row === own ? 5 : 2,
      lineStyle: { color, width: chosen ? 3.5 : row === own ? 2.5 : 1.5, type: live ? [5, 3] : "solid" },
      itemStyle: { color },
      endLabel: { show: true, formatter: called(id), color: chosen ? ink : color, fontSize: 10, fontWeight: chosen ? "bold" : "normal", distance: 4 },
      labelLayout: { moveOverlap: "shiftY" },
      emphasis: { focus: "series", lineStyle: { width: 3 } },
    };
  });
  return {
    grid: { left: 54, right: 38, top: 14, bottom: 40 },
    xAxis: axis({ type: "value", min: 1, max: Math.max(longest, 2), minInterval: 1, name: "epoch", nameGap: 24, splitLine: { show: false } }),
    yAxis: axis({ type: "value", scale: true, axisLabel: { color: muted, fontSize: 11, formatter: (value) => number(value) } }),
    tooltip: {
      formatter: ({ value, seriesName }) =>
        Array.isArray(value) ? `${seriesName}  epoch ${value[0]}\n${metric}  ${number(value[1], 4)}` : seriesName,
    },
    series,
  };
}
