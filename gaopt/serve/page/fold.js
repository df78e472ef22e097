// A study's columns, kept up by its events as gaopt/journal/history.py keeps a History. Pure: a test runs both on one journal.

const beside = new WeakMap();

/** A snapshot with the columns that a server may leave out, where it knows nothing of them. */
export function whole(snapshot) {
  const { individuals } = snapshot;
  for (const name of ["expected", "deviation", "reason"]) individuals[name] ??= individuals.id.map(() => null);
  snapshot.epochs ??= snapshot.study.epochs ?? 0;
  return snapshot;
}

function index(snapshot) {
  let found = beside.get(snapshot);
  if (!found) {
    const { id, status } = snapshot.individuals;
    found = { rows: new Map(id.map((each, row) => [each, row])), running: new Set() };
    status.forEach((each, row) => each === "running" && found.running.add(row));
    beside.set(snapshot, found);
  }
  return found;
}

/** The row of an individual in the columns; undefined if it is not there. */
export function rowOf(snapshot, id) {
  return index(snapshot).rows.get(id);
}

/** The rows of those being trained. */
export function runningRows(snapshot) {
  return [...index(snapshot).running];
}

/**
 * Take an event in: {number, kind, data}. Returns "old" for one that is there already, "gap" where one before it is
 * missing (nothing is changed then), else "new".
 */
export function fold(snapshot, event) {
  if (event.number <= snapshot.number) return "old";
  if (event.number > snapshot.number + 1) return "gap";
  snapshot.number = event.number;
  steps[event.kind]?.(snapshot, event.data, event.number);
  return "new";
}

function set(snapshot, id, values) {
  const row = rowOf(snapshot, id);
  if (row === undefined) return;
  const { running } = index(snapshot);
  for (const [name, value] of Object.entries(values)) snapshot.individuals[name][row] = value;
  if (values.status === "running") running.add(row);
  else if (values.status) running.delete(row);
}

/** No driver holds the study: what was being trained will be trained again. */
function putDown(snapshot) {
  for (const row of runningRows(snapshot)) snapshot.individuals.status[row] = "waiting";
  index(snapshot).running.clear();
}

function breed(snapshot, { generation, births, survivors }) {
  const { individuals, generations, repeats } = snapshot;
  const { rows } = index(snapshot);
  if (generation >= generations.length) generations.push([...survivors]);
  for (const birth of births) {
    rows.set(birth.id, individuals.id.length);
    const [expected, deviation] = birth.expected ?? [null, null];
    const row = {
      id: birth.id,
      generation,
      status: "waiting",
      origin: birth.origin,
      parents: birth.parents,
      share: birth.share,
      fitness: null,
      epoch: 0,
      seconds: 0,
      started: 0,
      ended: 0,
      expected,
      deviation,
      reason: null,
    };
    for (const [name, value] of Object.entries(row)) individuals[name].push(value);
    for (const [name, column] of Object.entries(individuals.genes)) column.push(birth.genes[name] ?? null);
    if (birth.origin === "repeat") repeats.push(birth.id);
    else generations.at(-1).push(birth.id);
  }
}

function begin(snapshot, { individual, at }) {
  set(snapshot, individual, { status: "running", started: at, ended: 0, epoch: 0 });
  snapshot.workers = Math.max(snapshot.workers, index(snapshot).running.size);
}

function report(snapshot, { individual, epoch, metrics }) {
  const row = rowOf(snapshot, individual);
  if (row === undefined) return;
  snapshot.individuals.epoch[row] = Math.max(snapshot.individuals.epoch[row], epoch);
  for (const name of Object.keys(metrics)) if (!snapshot.metrics.includes(name)) snapshot.metrics.push(name);
}

function end(snapshot, event, values) {
  const row = rowOf(snapshot, event.individual);
  if (row === undefined) return;
  const seconds = snapshot.individuals.seconds[row] + event.seconds;
  set(snapshot, event.individual, { ...values, seconds, ended: event.at });
}

function scored(snapshot, event) {
  const share = Math.min(snapshot.individuals.share[rowOf(snapshot, event.individual)], event.share);
  end(snapshot, event, { status: share < 1 ? "early" : "scored", share, fitness: event.fitness, reason: null });
}

const again = { status: "waiting", epoch: 0, ended: 0, fitness: null };
const steps = {
  Opened: putDown,
  Bred: breed,
  Granted: (snapshot, { individuals, share }) => individuals.forEach((id) => set(snapshot, id, { ...again, share })),
  Started: begin,
  Reported: report,
  Retried: (snapshot, { individual }) => set(snapshot, individual, again),
  Scored: scored,
  Failed: (snapshot, event) => end(snapshot, event, { status: "failed", fitness: null, reason: event.reason }),
  Judged: (snapshot, { metrics }) => {
    snapshot.study.test = metrics;
  },
  Closed: putDown,
};
