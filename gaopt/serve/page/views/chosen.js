// The selected individuals side by side: genes, outcome, origin, and where they differ; of one alone its whole story.

import { get, interactive, studyPath } from "../api.js";
import { el, fill } from "../dom.js";
import { rowOf } from "../fold.js";
import { called, duration, gene, moment, number, score } from "../format.js";
import { onSelect, select, selected, toggle } from "../selection.js";
import { failureStory } from "./failures.js";
import { chosenRows } from "./individuals.js";

const SIDE = 8; // columns side by side

export function chosenPanel(store) {
  const body = el("div", { class: "sided" });
  const node = el(
    "section",
    { id: "chosen", "aria-labelledby": "chosen-title", hidden: true },
    el(
      "header",
      null,
      el("h2", { id: "chosen-title" }, "Selected"),
      el("div", { class: "tools" }, el("button", { type: "button", class: "quiet", on: { click: () => select([]) } }, "Clear selection")),
    ),
    body,
  );
  const told = new Map();
  let before = "";
  const update = () => {
    const rows = chosenRows(store.snapshot);
    node.hidden = !rows.length;
    const { status, epoch } = store.snapshot.individuals;
    const now = rows
      .slice(0, SIDE)
      .map((row) => [row, status[row], epoch[row]])
      .join();
    if (!rows.length || now === before) return;
    before = now;
    fill(body, sideBySide(store.snapshot, rows), rows.length === 1 ? story(store, rows[0], told) : null);
  };
  onSelect(update);
  return { node, update };
}

function sideBySide(snapshot, rows) {
  const { individuals, space } = snapshot;
  const shown = rows.slice(0, SIDE);
  const line = (name, text, compare = text) => {
    const differs = shown.length > 1 && new Set(shown.map(compare)).size > 1;
    return el(
      "tr",
      { class: shown.length > 1 && !differs ? "same" : null },
      el("th", { scope: "row" }, name),
      shown.map((row) => el("td", null, text(row))),
    );
  };
  const fitness = (row) => {
    const state = individuals.reason[row] ?? individuals.status[row];
    if (individuals.fitness[row] === null) return state;
    return individuals.status[row] === "scored" ? score(individuals.fitness[row]) : `${score(individuals.fitness[row])} ${state}`;
  };
  const expected = (row) => (individuals.expected[row] === null ? "–" : `${score(individuals.expected[row])} ± ${score(individuals.deviation[row])}`);
  const parents = (row) =>
    individuals.parents[row].map((id) => el("button", { type: "button", class: "individual", on: { click: () => toggle(id) } }, called(id)));
  const head = el(
    "tr",
    null,
    el("td"),
    shown.map((row) => el("th", { scope: "col" }, called(individuals.id[row]))),
  );
  const none = (cells) => (cells.length ? cells : ["–"]);
  return el(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": "Selected individuals side by side" },
    el(
      "table",
      { class: "sides" },
      el("thead", null, head),
      el(
        "tbody",
        null,
        line("fitness", fitness),
        line("expected", expected),
        Object.keys(space).map((name) => line(name, (row) => gene(individuals.genes[name][row]))),
        line("generation", (row) => String(individuals.generation[row] + 1)),
        line("origin", (row) => individuals.origin[row]),
        el(
          "tr",
          null,
          el("th", { scope: "row" }, "parents"),
          shown.map((row) => el("td", null, none(parents(row)))),
        ),
        line("epochs", (row) => String(individuals.epoch[row])),
        line("time", (row) => (individuals.seconds[row] ? duration(individuals.seconds[row]) : "–")),
      ),
    ),
    rows.length > SIDE ? el("p", { class: "note" }, `${rows.length - SIDE} more are selected; tick "selected only" in the table to see them.`) : null,
  );
}

/** What else is known of one: its metrics, notes, retries and failure. */
function story(store, row, told) {
  const id = store.snapshot.individuals.id[row];
  const key = `${id} ${store.snapshot.individuals.status[row]}`;
  const node = el("div", { class: "story" });
  if (interactive && !(studyPath(store.name, `/individuals/${id}`) in interactive.answers)) return node;
  if (!told.has(key)) told.set(key, get(studyPath(store.name, `/individuals/${id}`)));
  told.get(key).then(
    (found) => selected().has(id) && fill(node, storyOf(found, store.snapshot)),
    (error) => {
      node.textContent = error.message;
    },
  );
  return node;
}

function storyOf({ metrics, notes, retried, failure }, snapshot) {
  const facts = Object.entries(metrics ?? {}).map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, number(value, 4))));
  return [
    facts.length ? el("dl", { class: "facts" }, facts) : null,
    retried.map(({ reason, message, at }) => el("p", { class: "note" }, `Begun again ${moment(at)}: ${reason}. ${message}`)),
    notes.map((note) => el("p", { class: "note" }, typeof note === "string" ? note : note.message)),
    failure ? failureStory(failure, (other) => rowOf(snapshot, other) !== undefined) : null,
  ];
}
