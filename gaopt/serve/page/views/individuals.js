// The table of individuals: sorted by any column, a page at a time, ticked to select.

import { bestRow, rankedRows, ranks } from "../derive.js";
import { el, fill, reconcile, say } from "../dom.js";
import { rowOf } from "../fold.js";
import { called, duration, gene, score } from "../format.js";
import { onSelect, select, selected, toggle } from "../selection.js";

const PAGE = 15;

export function individualsTable(store) {
  const view = { store, columns: [], foreseen: null, sort: "rank", down: false, page: 0, state: "", only: false };
  view.head = el("tr");
  view.body = el("tbody");
  view.count = el("span", { role: "status" });
  const states = ["scored", "running", "waiting", "early", "failed"].map((state) => el("option", { value: state }, state));
  const filter = el(
    "select",
    { "aria-label": "State", on: { change: ({ target }) => again(view, { state: target.value }) } },
    el("option", { value: "" }, "every state"),
    states,
  );
  const only = el(
    "label",
    null,
    el("input", { type: "checkbox", on: { change: ({ target }) => again(view, { only: target.checked }) } }),
    " selected only",
  );
  const clear = el("button", { type: "button", class: "quiet", on: { click: () => select([]) } }, "Clear selection");
  const turn = (step, text) => el("button", { type: "button", class: "quiet", on: { click: () => again(view, { page: view.page + step }) } }, text);
  view.before = turn(-1, "Previous");
  view.after = turn(1, "Next");
  const table = el("table", { class: "individuals" }, el("thead", null, view.head), view.body);
  const node = el(
    "section",
    { id: "individuals", "aria-labelledby": "individuals-title" },
    el("header", null, el("h2", { id: "individuals-title" }, "Individuals"), el("div", { class: "tools" }, filter, only, clear)),
    el("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Table of individuals" }, table),
    el("div", { class: "pages" }, view.before, view.count, view.after),
  );
  view.update = () => show(view);
  onSelect(view.update);
  return { node, update: view.update };
}

/** The columns; that of what the model expects comes once it expects anything. */
function headed(view) {
  const foreseen = view.store.snapshot.individuals.expected.some((each) => each !== null);
  if (foreseen === view.foreseen) return;
  view.foreseen = foreseen;
  view.columns = columnsOf(view.store.snapshot, foreseen);
  fill(
    view.head,
    el("td", null, el("span", { class: "hidden" }, "selected")),
    view.columns.map((column) => heading(view, column)),
  );
  reconcile(view.body, [], null, null, null);
}

function columnsOf({ space, individuals }, foreseen) {
  const { id, fitness, status, generation, origin, parents, epoch, seconds, expected } = individuals;
  const plain = (name, key, text, more) => ({ name, key, text, ...more });
  const list = [
    plain("rank", null, null, { ranked: true }),
    plain(
      "id",
      (row) => id[row],
      (row) => called(id[row]),
    ),
    plain(
      "fitness",
      (row) => fitness[row],
      (row) => (fitness[row] === null ? status[row] : `${score(fitness[row])}${status[row] === "early" ? " early" : ""}`),
      { falls: true },
    ),
  ];
  if (foreseen)
    list.push(
      plain(
        "expected",
        (row) => expected[row],
        (row) => score(expected[row]),
        { falls: true },
      ),
    );
  for (const name of Object.keys(space))
    list.push(
      plain(
        name,
        (row) => individuals.genes[name][row],
        (row) => gene(individuals.genes[name][row]),
      ),
    );
  return [
    ...list,
    plain(
      "generation",
      (row) => generation[row],
      (row) => String(generation[row] + 1),
    ),
    plain(
      "origin",
      (row) => origin[row],
      (row) => origin[row],
      { words: true },
    ),
    plain(
      "parents",
      (row) => parents[row].length,
      (row) => parents[row].map(called).join(", ") || "–",
      { words: true },
    ),
    plain(
      "epochs",
      (row) => epoch[row],
      (row) => String(epoch[row]),
    ),
    plain(
      "time",
      (row) => seconds[row],
      (row) => (seconds[row] ? duration(seconds[row]) : "–"),
      { falls: true },
    ),
  ];
}

function heading(view, column) {
  const button = el("button", { type: "button", on: { click: () => sortBy(view, column) } }, column.name);
  return el(
    "th",
    { scope: "col", class: column.words ? "text" : null, "aria-sort": column.name === view.sort ? (view.down ? "descending" : "ascending") : null },
    button,
  );
}

function sortBy(view, column) {
  const down = view.sort === column.name ? !view.down : Boolean(column.falls);
  view.columns.forEach(({ name }, place) => {
    const cell = view.head.children[place + 1];
    if (name === column.name) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  });
  again(view, { sort: column.name, down, page: 0 });
}

function again(view, changes) {
  Object.assign(view, { page: 0 }, changes);
  show(view);
}

/** The rows to show, in order: what has no value comes last whichever way it is sorted. */
function ordered({ store, columns, sort, down, state, only }) {
  const { snapshot } = store;
  let rows = rankedRows(snapshot);
  if (only) rows = rows.filter((row) => selected().has(snapshot.individuals.id[row]));
  if (state) rows = rows.filter((row) => snapshot.individuals.status[row] === state);
  const { key } = columns.find(({ name }) => name === sort);
  if (!key) return down ? [...rows].reverse() : rows;
  const sign = down ? -1 : 1;
  const none = (value) => value === null || value === undefined;
  return [...rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (none(a) || none(b)) return none(a) - none(b);
    return a < b ? -sign : a > b ? sign : 0;
  });
}

function show(view) {
  headed(view);
  const { store, columns } = view;
  const { snapshot } = store;
  const rows = ordered(view);
  const last = Math.max(0, Math.ceil(rows.length / PAGE) - 1);
  view.page = Math.max(0, Math.min(view.page, last));
  const page = rows.slice(view.page * PAGE, (view.page + 1) * PAGE);
  const rank = ranks(snapshot);
  const best = bestRow(snapshot);
  const ids = snapshot.individuals.id;
  reconcile(
    view.body,
    page,
    (row) => ids[row],
    (row) => rowNode(columns, ids[row]),
    (node, row) => {
      node.classList.toggle("best", row === best);
      node.classList.toggle("chosen", selected().has(ids[row]));
      node.firstChild.firstChild.checked = selected().has(ids[row]);
      columns.forEach(({ text, ranked }, place) => say(node.children[place + 1], ranked ? String(rank.get(row) ?? "–") : text(row)));
    },
  );
  const first = view.page * PAGE + 1;
  say(view.count, rows.length ? `${first}–${first + page.length - 1} of ${rows.length.toLocaleString("en")}` : "None");
  view.before.disabled = view.page === 0;
  view.after.disabled = view.page === last;
}

function rowNode(columns, id) {
  const tick = el("input", { type: "checkbox", "aria-label": `Select ${called(id)}`, on: { change: () => toggle(id) } });
  return el(
    "tr",
    null,
    el("td", null, tick),
    columns.map(({ words }) => el("td", { class: words ? "text" : null })),
  );
}

/** The rows of those selected, as they were chosen. */
export function chosenRows(snapshot) {
  return [...selected()].map((id) => rowOf(snapshot, id)).filter((row) => row !== undefined);
}
