// All studies: the true state of each, filtered, live, and ticked to be compared.

import { get, studyPath, url } from "../api.js";
import { el, fill, reconcile, say } from "../dom.js";
import { called, duration, genes, moment, plural, score } from "../format.js";
import { follow } from "../stream.js";
import { badge, progressBar, refused, showLink, titled } from "./shell.js";

const STATES = ["running", "queued", "finished", "interrupted", "failed", "cut off"];
const HEAD = ["", "study", "state", "best", "trainings", "time left", "started", "tags"];

export async function studiesView(main) {
  titled("Studies");
  const view = { studies: new Map(), ticked: new Set(), next: null, filter: readFilter() };
  view.text = el("input", { type: "search", id: "q", placeholder: "name", value: view.filter.q, on: { input: () => later(view) } });
  view.tag = el("input", { type: "search", id: "tag", placeholder: "tag", value: view.filter.tag, on: { input: () => later(view) } });
  view.state = el(
    "select",
    { id: "state", on: { change: () => search(view) } },
    el("option", { value: "" }, "every state"),
    STATES.map((state) => el("option", { value: state, selected: state === view.filter.state }, state)),
  );
  view.compare = el("a", { class: "button", href: "/compare", "aria-disabled": "true" }, "Compare");
  view.body = el("tbody");
  view.count = el("p", { class: "note", role: "status" });
  view.more = el("button", { type: "button", hidden: true, on: { click: () => load(view, view.next) } }, "More");
  const label = (id, text) => el("label", { for: id, class: "hidden" }, text);
  const table = el(
    "table",
    { class: "studies" },
    el(
      "thead",
      null,
      el(
        "tr",
        null,
        HEAD.map((name) => (name ? el("th", { scope: "col", class: "text" }, name) : el("td"))),
      ),
    ),
    view.body,
  );
  fill(
    main,
    el(
      "header",
      { class: "head" },
      el("h1", null, "Studies"),
      el(
        "div",
        { class: "filters" },
        label("q", "Name"),
        view.text,
        label("tag", "Tag"),
        view.tag,
        label("state", "State"),
        view.state,
        el("span", { class: "gap" }),
        view.compare,
        el("a", { class: "button strong", href: "/new" }, "New study"),
      ),
    ),
    table,
    view.count,
    view.more,
  );
  showTicked(view);
  try {
    await load(view);
  } catch (error) {
    return refused(main, error);
  }
  follow(url("/events"), null, {
    onTold: (told) => told.forEach((each) => merge(view, each)),
    onState: (state, again) => {
      showLink(state);
      if (again) load(view).catch(() => {});
    },
  });
}

function readFilter() {
  const given = new URLSearchParams(location.search);
  return { q: given.get("q") ?? "", tag: given.get("tag") ?? "", state: given.get("state") ?? "" };
}

let waiting = 0;
function later(view) {
  clearTimeout(waiting);
  waiting = setTimeout(() => search(view), 200);
}

function search(view) {
  view.filter = { q: view.text.value.trim(), tag: view.tag.value.trim(), state: view.state.value };
  history.replaceState(null, "", `/${query(view.filter)}`);
  load(view).catch((error) => say(view.count, error.message));
}

function query(values) {
  const given = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  return given.size ? `?${given}` : "";
}

async function load(view, cursor = "") {
  const wanted = view.filter;
  const { studies, next } = await get(`/studies${query({ ...wanted, limit: 100, cursor })}`);
  if (wanted !== view.filter) return; // the filter has changed meanwhile
  if (!cursor) view.studies = new Map();
  for (const study of studies) view.studies.set(study.name, study);
  view.next = next;
  show(view);
}

function fits({ q, tag, state }, study) {
  return study.name.toLowerCase().includes(q.toLowerCase()) && (!tag || study.tags.includes(tag)) && (!state || study.state === state);
}

/** Take in what the server says has changed. */
function merge(view, { changed = [], removed = [] }) {
  for (const name of removed) view.studies.delete(name);
  const fresh = changed.filter(({ name }) => !view.studies.has(name));
  for (const study of changed) {
    if (!fits(view.filter, study)) view.studies.delete(study.name);
    else if (view.studies.has(study.name)) view.studies.set(study.name, study);
  }
  const first = fresh.filter((study) => fits(view.filter, study)).map((study) => [study.name, study]);
  view.studies = new Map([...first, ...view.studies]);
  show(view);
}

function show(view) {
  reconcile(
    view.body,
    [...view.studies.values()],
    ({ name }) => name,
    (study) => rowNode(view, study),
    fillRow,
  );
  view.more.hidden = !view.next;
  const none = Object.values(view.filter).some(Boolean) ? "No study fits the filter." : "No study yet. Start one with New study, or with gaopt run.";
  say(view.count, view.studies.size ? `${plural(view.studies.size, "study", "studies")}${view.next ? ", and more" : ""}` : none);
}

function rowNode(view, { name, kind }) {
  const tick =
    kind === "comparison"
      ? ""
      : el("input", { type: "checkbox", "aria-label": `Compare ${name}`, on: { change: ({ target }) => ticked(view, name, target.checked) } });
  const link = el("a", { href: kind === "comparison" ? url(studyPath(name, "/report")) : `/studies/${encodeURIComponent(name)}` }, name);
  const cell = (label, ...children) => el("td", { class: "text", "data-label": label }, children);
  return el("tr", null, el("td", { class: "tick" }, tick), cell("", link), ...HEAD.slice(2).map((label) => cell(label)));
}

function fillRow(node, study) {
  const now = JSON.stringify(study);
  if (node.shown === now) return;
  node.shown = now;
  const [, name, state, best, trainings, left, started, tags] = node.children;
  fill(
    name,
    name.firstChild,
    study.error ? el("div", { class: "wrong sentence" }, study.error) : study.note ? el("div", { class: "note clipped" }, study.note) : null,
  );
  fill(
    state,
    badge(study.state),
    study.queue?.position >= 0 && study.queue.position !== null ? el("div", { class: "note" }, `place ${study.queue.position + 1}`) : null,
  );
  fill(
    best,
    study.best
      ? [
          el("strong", null, score(study.best.fitness)),
          study.best.individual === null
            ? null
            : el("div", { class: "note clipped", title: genes(study.best.genes) }, `${called(study.best.individual)}: ${genes(study.best.genes)}`),
        ]
      : "–",
  );
  fill(
    trainings,
    progressBar(study),
    el("div", { class: "note" }, `${study.done} of ${study.trainings}${study.failed ? `, ${study.failed} failed` : ""}`),
  );
  say(left, study.state === "running" && study.left !== null ? duration(study.left) : "–");
  say(started, moment(study.started));
  for (const [cell, none] of [
    [best, !study.best],
    [left, left.textContent === "–"],
    [started, !study.started],
    [tags, !study.tags.length],
  ])
    cell.classList.toggle("none", none);
  fill(
    tags,
    study.tags.map((tag) => el("a", { class: "tag", href: `/?tag=${encodeURIComponent(tag)}` }, tag)),
  );
}

function ticked(view, name, on) {
  if (on) view.ticked.add(name);
  else view.ticked.delete(name);
  showTicked(view);
}

function showTicked(view) {
  const names = [...view.ticked];
  const enough = names.length > 1;
  say(view.compare, enough ? `Compare ${names.length}` : "Compare (tick two)");
  view.compare.setAttribute("aria-disabled", String(!enough));
  if (enough) view.compare.href = `/compare?${names.map((name) => `study=${encodeURIComponent(name)}`).join("&")}`;
  else view.compare.removeAttribute("href");
}
