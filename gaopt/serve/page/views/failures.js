// Failures by reason: what each said, its traceback, and how it differs from the nearest individual that succeeded.

import { get, studyPath } from "../api.js";
import { el, fill } from "../dom.js";
import { called, gene, genes, plural } from "../format.js";
import { select, toggle } from "../selection.js";

const SHOWN = 20; // of a reason
const OPEN = 3; // failures that need no folding

export function failuresPanel(store) {
  const body = el("div");
  const node = el(
    "section",
    { id: "failures", "aria-labelledby": "failures-title" },
    el("header", null, el("h2", { id: "failures-title" }, "Failures")),
    body,
  );
  const found = new Map();
  let asked = false;
  const update = async () => {
    const { status, id } = store.snapshot.individuals;
    const failed = id.filter((_, row) => status[row] === "failed");
    if (!failed.length) return void fill(body, el("p", { class: "note" }, "None."));
    try {
      if (!asked) {
        asked = true;
        for (const each of (await get(studyPath(store.name, "/failures"))).failures) found.set(each.individual, each);
      }
      for (const missing of failed.filter((each) => !found.has(each))) await fetchOne(store, missing, found);
    } catch (error) {
      return void fill(body, el("p", { class: "wrong" }, error.message));
    }
    fill(body, byReason([...found.values()].filter(({ individual }) => failed.includes(individual))));
  };
  return { node, update };
}

async function fetchOne(store, id, found) {
  const { failure, genes: values } = await get(studyPath(store.name, `/individuals/${id}`));
  found.set(id, { individual: id, genes: values, ...failure });
}

function byReason(failures) {
  const groups = new Map();
  for (const each of failures) groups.set(each.reason, [...(groups.get(each.reason) ?? []), each]);
  const sorted = [...groups].sort(([, one], [, other]) => other.length - one.length);
  return sorted.map(([reason, each]) =>
    el(
      "details",
      { class: "reason", open: failures.length <= OPEN },
      el("summary", null, el("strong", null, reason), ` ${plural(each.length, "individual")}`),
      el("button", { type: "button", class: "quiet", on: { click: () => select(each.map(({ individual }) => individual)) } }, "Select them"),
      each.slice(0, SHOWN).map(failureOf),
      each.length > SHOWN ? el("p", { class: "note" }, `${each.length - SHOWN} more are in individuals.csv.`) : null,
    ),
  );
}

function failureOf(failure) {
  const name = el("button", { type: "button", class: "individual", on: { click: () => toggle(failure.individual) } }, called(failure.individual));
  return el("article", null, el("p", null, name, ` ${genes(failure.genes)}`), failureStory(failure));
}

/** What a failure said, its traceback, and its difference to the nearest success. */
export function failureStory({ reason, message, traceback, nearest }) {
  return el(
    "div",
    { class: "failure" },
    el("p", { class: "message" }, message || reason),
    nearest ? difference(nearest) : null,
    traceback ? el("details", null, el("summary", null, "Traceback"), el("pre", { tabindex: 0 }, traceback)) : null,
  );
}

function difference({ individual, differences }) {
  const other = el("button", { type: "button", class: "individual", on: { click: () => toggle(individual) } }, called(individual));
  const parts = Object.entries(differences).map(([name, [mine, its]]) => `${name} ${gene(mine)} there ${gene(its)}`);
  return el("p", { class: "note" }, "The nearest that was scored is ", other, parts.length ? `: ${parts.join(", ")}.` : ": it has the same genes.");
}
