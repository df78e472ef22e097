// Studies compared: the best so far against the epochs spent, and means with their intervals.

import { axis, figure } from "../figure.js";
import { plural, score } from "../format.js";
import { colours } from "../theme.js";

export function progressChart(comparison) {
  return figure({
    id: "progress",
    title: "Best so far against the epochs spent",
    caption: "At the same number of epochs, the higher line has found more. All trainings count, failed ones too.",
    draw: () => progressDrawn(comparison.best_so_far),
  });
}

function progressDrawn(found) {
  const names = Object.keys(found).filter((name) => found[name].epochs.length);
  if (!names.length) return { empty: "Nothing is scored yet." };
  const { shades, muted } = colours();
  const last = Math.max(...names.map((name) => found[name].epochs.at(-1)));
  const series = names.map((name, place) => {
    const { epochs, fitness } = found[name];
    const color = shades[place % shades.length];
    const dashes = [null, [6, 3], [2, 3], [9, 3, 2, 3]][Math.floor(place / 2) % 4];
    return {
      id: name,
      name,
      type: "line",
      step: "end",
      showSymbol: false,
      symbol: "circle",
      data: epochs.map((each, at) => [each, fitness[at]]),
      lineStyle: { color, width: 2, type: dashes ?? "solid" },
      itemStyle: { color },
      endLabel: { show: true, formatter: name.length > 16 ? `${name.slice(0, 15)}…` : name, color, fontSize: 11 },
      labelLayout: { moveOverlap: "shiftY" },
    };
  });
  return {
    option: {
      grid: { left: 54, right: 120, top: 14, bottom: 40 },
      xAxis: axis({ type: "value", min: 0, max: last, name: "epochs, all trainings together", nameGap: 24, splitLine: { show: false } }),
      yAxis: axis({ type: "value", scale: true, axisLabel: { color: muted, fontSize: 11, formatter: (value) => Number(value.toPrecision(3)) } }),
      tooltip: { trigger: "axis", formatter: (all) => all.map(({ seriesName, value }) => `${seriesName}  ${score(value[1])}`).join("\n") },
      series,
    },
    height: 340,
    sentence:
      names.map((name) => `${name} reached ${score(found[name].fitness.at(-1))} in ${plural(found[name].epochs.at(-1), "epoch")}`).join("; ") + ".",
    columns: ["study", "epochs", "best so far"],
    rows: () => names.flatMap((name) => found[name].epochs.map((each, at) => [name, each, score(found[name].fitness[at])])),
  };
}

export function meansChart(comparison) {
  return figure({
    id: "means",
    title: "Means and their intervals",
    caption:
      "A dot is a score, the stroke its mean, the bar the interval in which the mean lies by what is known. Where bars overlap widely, no difference can be shown.",
    draw: () => meansDrawn(comparison.methods),
  });
}

function meansDrawn(methods) {
  const known = methods.filter(({ mean }) => typeof mean === "number");
  if (!known.length) return { empty: "Too little is scored to form a mean." };
  const { shades, ink, muted } = colours();
  const bar = (_, api) => {
    const [from, to, mean] = [1, 2, 3].map((dimension) => api.coord([api.value(dimension), api.value(0)]));
    const style = { stroke: shades[api.value(0) % shades.length], lineWidth: 7, opacity: 0.35 };
    return {
      type: "group",
      children: [
        { type: "line", shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] }, style },
        { type: "line", shape: { x1: mean[0], y1: mean[1] - 9, x2: mean[0], y2: mean[1] + 9 }, style: { stroke: ink, lineWidth: 2 } },
      ],
    };
  };
  const end = (value, mean) => (typeof value === "number" ? value : mean);
  return {
    option: {
      grid: { left: 120, right: 24, top: 8, bottom: 40 },
      xAxis: axis({ type: "value", scale: true, name: "fitness", nameGap: 24 }),
      yAxis: axis({
        type: "category",
        inverse: true,
        data: known.map(({ name }) => name),
        axisTick: { show: false },
        axisLabel: { color: ink, width: 105, overflow: "truncate" },
      }),
      tooltip: {
        formatter: ({ value }) => `${known[value[value.length === 2 ? 1 : 0]].name}  ${value.length === 2 ? score(value[0]) : score(value[3])}`,
      },
      series: [
        {
          id: "bars",
          type: "custom",
          renderItem: bar,
          encode: { x: [1, 2, 3], y: 0 },
          data: known.map(({ low, high, mean }, place) => [place, end(low, mean), end(high, mean), mean]),
        },
        {
          id: "scores",
          type: "scatter",
          symbolSize: 7,
          itemStyle: { color: muted, opacity: 0.8 },
          data: known.flatMap(({ scores }, place) => scores.map((each) => [each, place])),
        },
      ],
    },
    height: 44 * known.length + 60,
    sentence:
      known
        .map(({ name, mean, low, high }) => `${name} ${score(mean)}${typeof low === "number" ? `, from ${score(low)} to ${score(high)}` : ""}`)
        .join("; ") + ".",
    columns: ["method", "mean", "from", "to", "scores"],
    rows: () => known.map(({ name, mean, low, high, scores }) => [name, score(mean), score(low), score(high), scores.length]),
  };
}
