// One study as the page holds it: fetched once, then kept up by its events.

import { get, interactive, studyPath, url } from "./api.js";
import { fold, whole } from "./fold.js";
import { follow, rewind } from "./stream.js";

const AT_ONCE = 100; // curves in a request

/** Open a study. Its watchers hear a Set of what changed: "individuals", "curves", "study", "failed", "link". */
export async function openStudy(name) {
  const store = {
    name,
    snapshot: whole(await get(studyPath(name, "/snapshot"))),
    study: null, // with config and data, once it came
    curves: new Map(),
    link: interactive ? "interactive" : "connecting",
    clock: 0, // the server's seconds less ours
    watchers: new Set(),
    changes: new Set(),
    pending: new Map(), // events of individuals whose curves are on their way
    asked: new Set(),
  };
  store.watch = (watcher) => store.watchers.add(watcher);
  store.wantCurves = (ids) => wantCurves(store, ids);
  store.refresh = () => refresh(store);
  store.reload = async () => {
    store.snapshot = whole(await get(studyPath(name, "/snapshot")));
  };
  store.take = (study) => {
    store.snapshot.study = { ...store.snapshot.study, ...study };
    changed(store, "study");
  };
  store.now = () => (interactive || store.snapshot.study.state !== "running" ? lastMoment(store.snapshot) : Date.now() / 1000 + store.clock);
  refresh(store).catch(() => {});
  if (!interactive) keepUp(store);
  return store;
}

function changed(store, ...kinds) {
  if (!store.changes.size) requestAnimationFrame(() => notify(store));
  for (const kind of kinds) store.changes.add(kind);
}

function notify(store) {
  const changes = store.changes;
  store.changes = new Set();
  for (const watcher of store.watchers) watcher(changes);
}

async function refresh(store) {
  store.study = await get(studyPath(store.name));
  store.take(store.study);
}

function lastMoment({ individuals, study }) {
  const latest = (times) => times.reduce((most, each) => Math.max(most, each), 0);
  return Math.max(latest(individuals.ended), latest(individuals.started), study.started + (study.elapsed ?? 0));
}

function keepUp(store) {
  const path = url(studyPath(store.name, "/events"));
  follow(path, store.snapshot.number, {
    position: () => store.snapshot.number,
    onEvents: (events) => takeIn(store, path, events),
    onTold: (told) => progressed(store, told.at(-1)),
    onState: (state) => {
      store.link = state;
      changed(store, "link");
    },
  });
}

function progressed(store, summary) {
  const before = store.snapshot.study.state;
  store.take(summary);
  if (summary.state !== before) refresh(store).catch(() => {});
}

function takeIn(store, path, events) {
  for (const event of events) {
    const found = fold(store.snapshot, event);
    if (found === "gap") return rewind(path, store.snapshot.number);
    if (found === "old") continue;
    store.clock = event.data.at - Date.now() / 1000;
    changed(store, "individuals");
    if (event.kind === "Failed") changed(store, "failed");
    if (event.kind === "Opened" || event.kind === "Closed" || event.kind === "Judged") refresh(store).catch(() => {});
    curveEvent(store, event);
  }
}

function curveEvent(store, event) {
  const ids = event.kind === "Granted" ? event.data.individuals : [event.data.individual];
  for (const id of ids) {
    if (store.pending.has(id)) store.pending.get(id).push(event);
    else applyCurve(store, id, event);
  }
}

function applyCurve({ curves, ...store }, id, { kind, data }) {
  if (["Started", "Granted", "Retried"].includes(kind)) {
    curves.set(id, { epoch: [], metrics: {} });
    store.asked.add(id);
  }
  const curve = curves.get(id);
  if (kind !== "Reported" || !curve) return;
  let place = curve.epoch.indexOf(data.epoch);
  if (place < 0) place = curve.epoch.push(data.epoch) - 1;
  for (const [name, value] of Object.entries(data.metrics)) {
    curve.metrics[name] ??= [];
    curve.metrics[name][place] = value;
  }
}

async function wantCurves(store, ids) {
  const missing = ids.filter((id) => !store.asked.has(id));
  for (let first = 0; first < missing.length; first += AT_ONCE) await fetchCurves(store, missing.slice(first, first + AT_ONCE));
}

async function fetchCurves(store, ids) {
  for (const id of ids) (store.asked.add(id), store.pending.set(id, []));
  const path = studyPath(store.name, "/epochs");
  try {
    const { curves } = await get(interactive ? path : `${path}?individuals=${ids.join(",")}`);
    for (const id of ids) if (curves[id]) store.curves.set(id, curves[id]);
  } catch {
    for (const id of ids) store.asked.delete(id);
  }
  for (const id of ids) {
    const missed = store.pending.get(id) ?? [];
    store.pending.delete(id);
    for (const event of missed) applyCurve(store, id, event);
  }
  changed(store, "curves");
}
