// The head of a study: its true state, what is left, what it cost, the best, and what can be done with it.

import { interactive, send, studyPath } from "../api.js";
import { PREFERRED } from "../charts/curves.js";
import { bestRow } from "../derive.js";
import { el, fill, reconcile, say } from "../dom.js";
import { runningRows } from "../fold.js";
import { called, duration, gene, moment, percent, plural, score } from "../format.js";
import { toggle } from "../selection.js";
import { announce, badge, press, progressBar } from "./shell.js";

export function studyHead(store) {
  const state = el("span");
  const facts = el("dl", { class: "facts" });
  const best = el("p", { class: "result" });
  const said = el("p", { class: "note" });
  const bar = el("div", { class: "far" });
  const acts = el("div", { class: "acts" });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const training = el("ul", { class: "training", "aria-label": "Being trained" });
  const node = el("header", { class: "head" }, el("h1", null, store.name, " ", state), best, facts, bar, acts, wrong, training, said);
  let last = "";
  let allowed = "";
  const update = () => {
    const { study } = store.snapshot;
    if (study.state !== last) {
      fill(state, badge(study.state));
      if (last) announce(`${store.name} is ${study.state}.`);
      last = study.state;
    }
    fill(best, result(store));
    reconcile(
      facts,
      factsOf(store),
      ([name]) => name,
      ([name]) => el("div", null, el("dt", null, name), el("dd")),
      (cell, [, value]) => say(cell.lastChild, value),
    );
    bar.hidden = !study.trainings;
    fill(bar, progressBar(study), el("span", null, `${study.done.toLocaleString("en")} of ${plural(study.trainings, "training")}`));
    say(said, study.error ?? study.ended ?? "");
    const now = JSON.stringify(store.study?.allowed ?? []);
    if (now !== allowed && !interactive) fill(acts, actions(store, wrong));
    allowed = now;
    showTraining(store, training);
  };
  return { node, update };
}

function result(store) {
  const { individuals, study } = store.snapshot;
  const row = bestRow(store.snapshot);
  if (row < 0) return [study.state === "queued" ? `It waits at place ${(study.queue?.position ?? 0) + 1} of the queue.` : "Nothing is scored yet."];
  const id = individuals.id[row];
  const values = Object.entries(individuals.genes).filter(([, column]) => column[row] !== null);
  const mean = study.trials > 1 ? `, ${score(study.best?.fitness)} on average over ${study.trials} trainings` : "";
  return [
    el("span", { class: "number" }, score(individuals.fitness[row])),
    " by ",
    el("button", { type: "button", class: "individual", on: { click: () => toggle(id) } }, called(id)),
    mean,
    el(
      "span",
      { class: "genes" },
      values.map(([name, column]) => el("span", null, el("span", { class: "name" }, name), ` ${gene(column[row])}`)),
    ),
  ];
}

function factsOf(store) {
  const { study, individuals, epochs, workers } = store.snapshot;
  if (!store.snapshot.number) return study.owner ? [["asked for by", study.owner]] : [];
  const test = Object.entries(study.test ?? {}).sort(([one], [other]) => (other === "top1") - (one === "top1"));
  const trained = individuals.epoch.reduce((sum, each) => sum + each, 0);
  const facts = [["generation", `${study.generation + 1} of ${study.generations}`]];
  if (study.state === "running") facts.push(["time left", study.left === null ? "not known yet" : duration(study.left)]);
  facts.push(
    ["elapsed", duration(study.elapsed)],
    ["epochs", `${trained.toLocaleString("en")}${epochs ? ` (${epochs} a training)` : ""}`],
    ["workers", String(workers)],
  );
  if (study.failed) facts.push(["failed", String(study.failed)]);
  for (const [name, value] of test.slice(0, 2)) facts.push([`test ${name}`, name.startsWith("top") ? percent(value, 2) : score(value)]);
  facts.push(["started", moment(study.started)]);
  return facts;
}

function actions(store, wrong) {
  const allowed = store.study?.allowed ?? [];
  const act = (verb, body) => async () => {
    store.take(await send("POST", studyPath(store.name, `/${verb}`), body));
    await store.refresh();
    announce({ stop: "Asked to stop.", resume: "Asked to go on.", extend: "Extended." }[verb]);
  };
  const button = (verb, text, body) =>
    el("button", { type: "button", on: { click: ({ target }) => press(target, wrong, act(verb, body?.())) } }, text);
  const { generations } = store.snapshot.study;
  const more = el("input", { type: "number", min: generations, value: generations + 2, "aria-label": "Generations in all" });
  return [
    allowed.includes("stop") ? button("stop", "Stop") : null,
    allowed.includes("resume") ? button("resume", "Resume") : null,
    allowed.includes("extend")
      ? el(
          "span",
          { class: "joined" },
          button("extend", "Extend to", () => ({ generations: Number(more.value) })),
          more,
          "generations",
        )
      : null,
  ];
}

/** A line for each that is being trained: how far, and the last value of its metric. */
function showTraining(store, list) {
  const { snapshot, curves } = store;
  const { id, epoch, share } = snapshot.individuals;
  const metric = [...PREFERRED, ...snapshot.metrics].find((name) => snapshot.metrics.includes(name));
  const rows = runningRows(snapshot).slice(0, 24);
  list.hidden = !rows.length;
  reconcile(
    list,
    rows,
    (row) => row,
    (row) => {
      const bar = el("progress", { "aria-label": `Epochs of ${called(id[row])}` });
      return el(
        "li",
        null,
        el("button", { type: "button", class: "individual", on: { click: () => toggle(id[row]) } }, called(id[row])),
        bar,
        el("span"),
      );
    },
    (item, row) => {
      const whole = Math.max(1, Math.round(snapshot.epochs * share[row]), epoch[row]);
      item.children[1].max = whole;
      item.children[1].value = epoch[row];
      const value = curves.get(id[row])?.metrics[metric]?.at(-1);
      say(item.lastChild, `${epoch[row]} of ${plural(whole, "epoch")}${typeof value === "number" ? `, ${metric} ${score(value)}` : ""}`);
    },
  );
}
