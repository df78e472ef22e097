// What charts and tables read off a study's columns. Pure; each result is kept until the next event.

import { rowOf } from "./fold.js";

const results = new WeakMap();

function memo(compute) {
  return (snapshot) => {
    const known = results.get(snapshot) ?? new Map();
    results.set(snapshot, known);
    const found = known.get(compute);
    if (found?.number === snapshot.number) return found.value;
    const value = compute(snapshot);
    known.set(compute, { number: snapshot.number, value });
    return value;
  };
}

/** The rows of the search: without the finalists that are trained again. */
export const searchedRows = memo(({ individuals }) => {
  const rows = [];
  individuals.origin.forEach((origin, row) => origin !== "repeat" && rows.push(row));
  return rows;
});

export const scoredRows = memo((snapshot) => searchedRows(snapshot).filter((row) => snapshot.individuals.status[row] === "scored"));

/** The row of the best, −1 while nothing is scored; of finalists trained again the one that the server names. */
export const bestRow = memo((snapshot) => {
  const named = snapshot.repeats.length ? rowOf(snapshot, snapshot.study.best?.individual) : undefined;
  if (named !== undefined) return named;
  const { fitness } = snapshot.individuals;
  return scoredRows(snapshot).reduce((best, row) => (best < 0 || fitness[row] > fitness[best] ? row : best), -1);
});

/** All rows of the search, the fittest first, then those unfinished, on a rung and failed. */
export const rankedRows = memo((snapshot) => {
  const { status, fitness, id } = snapshot.individuals;
  const order = { scored: 0, running: 1, waiting: 2, early: 3, failed: 4 };
  return [...searchedRows(snapshot)].sort(
    (one, other) => order[status[one]] - order[status[other]] || (fitness[other] ?? 0) - (fitness[one] ?? 0) || id[one] - id[other],
  );
});

/** Ranks by row; equals share one. */
export const ranks = memo((snapshot) => {
  const found = new Map();
  const { fitness } = snapshot.individuals;
  let rank = 0;
  let last = null;
  rankedRows(snapshot).forEach((row, place) => {
    if (snapshot.individuals.status[row] !== "scored") return;
    if (fitness[row] !== last) [rank, last] = [place + 1, fitness[row]];
    found.set(row, rank);
  });
  return found;
});

/** Where each row stands from left to right: its generation, counted from 1, and its place among those born in it. */
export const positions = memo((snapshot) => {
  const { generation } = snapshot.individuals;
  const sizes = new Map();
  const places = searchedRows(snapshot).map((row) => {
    const place = sizes.get(generation[row]) ?? 0;
    sizes.set(generation[row], place + 1);
    return [row, generation[row], place];
  });
  return new Map(places.map(([row, born, place]) => [row, born + 0.54 + 0.92 * ((place + 0.5) / sizes.get(born))]));
});

/** Low and high of numbers of which the high ones matter: three times what the upper half spans. */
function upperRange(values, everything) {
  const sorted = Float64Array.from(values).sort();
  if (!sorted.length) return [0, 1];
  const median = sorted[Math.floor(sorted.length / 2)];
  const high = sorted.at(-1);
  const low = high > median && !everything ? Math.max(sorted[0], high - 3 * (high - median)) : sorted[0];
  return low < high ? [low, high] : [low - 0.05 * (Math.abs(low) || 1), high + 0.05 * (Math.abs(high) || 1)];
}

const whole = new WeakSet();

/** Show all fitnesses on every chart, or, as at first, the upper ones. */
export function showEverything(snapshot, everything) {
  if (everything) whole.add(snapshot);
  else whole.delete(snapshot);
  results.delete(snapshot);
}

/** [low, high, step] of the axis of fitness, all round; what lies far below is drawn at its lower end. */
export const fitnessRange = memo((snapshot) => {
  const [low, high] = upperRange(
    scoredRows(snapshot).map((row) => snapshot.individuals.fitness[row]),
    whole.has(snapshot),
  );
  const rough = (high - low) / 5;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * unit).find((each) => each >= rough);
  const rounded = (value) => Number((Math.round(value / step) * step).toPrecision(12));
  return [rounded(Math.floor((low - 0.02 * (high - low)) / step) * step), rounded(Math.ceil((high + 0.02 * (high - low)) / step) * step), step];
});

/** The genes that differ among the individuals, in the order of the space. */
export const varyingGenes = memo(({ space, individuals }) =>
  Object.keys(space).filter((name) => {
    const column = individuals.genes[name] ?? [];
    return column.some((value) => value !== null && value !== column[0]);
  }),
);

/** A line of descent: the individuals themselves, their parents, theirs, … as ids. */
export function ancestors(snapshot, ids) {
  const line = new Set();
  const ahead = [...ids];
  while (ahead.length) {
    const id = ahead.pop();
    const row = rowOf(snapshot, id);
    if (line.has(id) || row === undefined) continue;
    line.add(id);
    ahead.push(...snapshot.individuals.parents[row]);
  }
  return line;
}

/** A lane for each individual, by id: survivors stay in theirs, a birth takes its first parent's if free, else the nearest. */
export const familyLanes = memo((snapshot) => {
  const lanes = new Map();
  for (const ids of snapshot.generations) {
    const taken = new Set(ids.filter((id) => lanes.has(id)).map((id) => lanes.get(id)));
    for (const id of ids) {
      if (lanes.has(id)) continue;
      const wish = lanes.get(snapshot.individuals.parents[rowOf(snapshot, id)][0]) ?? 0;
      let reach = 0;
      while (taken.has(wish - reach) || wish < reach) {
        if (!taken.has(wish + reach)) break;
        reach += 1;
      }
      const lane = wish >= reach && !taken.has(wish - reach) ? wish - reach : wish + reach;
      lanes.set(id, lane);
      taken.add(lane);
    }
  }
  return lanes;
});

const packings = new WeakMap();

/** A lane for each training, kept from its start on: the first that was free then. */
function packed(snapshot) {
  const { started, ended, status } = snapshot.individuals;
  const packing = packings.get(snapshot) ?? { lane: new Map(), last: [], begun: new Map() };
  packings.set(snapshot, packing);
  const fresh = [];
  started.forEach((at, row) => at && packing.begun.get(row) !== at && fresh.push(row));
  fresh.sort((one, other) => started[one] - started[other]);
  const end = (row) => (status[row] === "running" ? Infinity : ended[row]);
  for (const row of fresh) {
    const again = packing.lane.get(row); // begun again: its old place is free
    if (again !== undefined && packing.last[again] === row) packing.last[again] = undefined;
    let lane = packing.last.findIndex((before) => before === undefined || end(before) <= started[row] + 0.001);
    if (lane < 0) lane = packing.last.length;
    packing.last[lane] = row;
    packing.lane.set(row, lane);
    packing.begun.set(row, started[row]);
  }
  return packing;
}

/** Trainings in lanes, one for each worker, in the order of their starts: [row, lane, start, end]; `now` ends those that run. */
export function workerLanes(snapshot, now) {
  const { started, ended, status } = snapshot.individuals;
  const { lane, last } = packed(snapshot);
  const bars = [];
  for (const [row, place] of lane) {
    const end = status[row] === "running" ? Math.max(now, started[row]) : ended[row];
    if (end >= started[row]) bars.push([row, place, started[row], end]);
  }
  return { bars, lanes: Math.max(last.length, 1) };
}
