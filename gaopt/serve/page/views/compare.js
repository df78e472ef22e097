// Studies compared: the honest verdict first, then the charts, then how their configs differ.

import { get, interactive } from "../api.js";
import { meansChart, progressChart } from "../charts/compared.js";
import { el, fill } from "../dom.js";
import { duration, score } from "../format.js";
import { badge, progressBar, titled } from "./shell.js";

const FEW = 8; // studies that stand above the charts

export async function compareView(main) {
  const given = new URLSearchParams(location.search);
  const names = given.getAll("study");
  titled("Compare");
  if (!interactive && names.length < 2) {
    const [one, other] = [el("a", { href: "/" }, "list of studies"), "."];
    return fill(main, el("h1", null, "Compare"), el("p", null, "Tick two studies or more in the ", one, other));
  }
  const comparison = await get(interactive ? "/compare" : `/compare${location.search}`);
  const progress = progressChart(comparison);
  const means = meansChart(comparison);
  const table = overview(comparison.studies);
  const many = comparison.studies.length > FEW;
  fill(
    main,
    el("header", { class: "head" }, el("h1", null, "Compared"), verdictOf(comparison)),
    many ? null : table,
    el("div", { class: "pair" }, progress.node, means.node),
    differences(comparison),
    many ? el("details", null, el("summary", null, `The ${comparison.studies.length} searches`), table) : null,
  );
}

function verdictOf({ verdict }) {
  const [first, ...others] = verdict;
  return el(
    "div",
    { class: "verdict" },
    el("p", { class: "result" }, withCode(first ?? "Nothing can be said yet.")),
    others.map((each) => el("p", null, withCode(each))),
  );
}

/** A sentence with what stands between backticks as code. */
function withCode(sentence) {
  return sentence.split("`").map((part, place) => (place % 2 ? el("code", null, part) : part));
}

function overview(studies) {
  const link = ({ name }) => (interactive ? name : el("a", { href: `/studies/${encodeURIComponent(name)}` }, name));
  const row = (study) =>
    el(
      "tr",
      null,
      el("th", { scope: "row", class: "text" }, link(study)),
      el("td", { class: "text" }, badge(study.state)),
      el("td", null, score(study.best?.fitness)),
      el("td", null, `${study.done} of ${study.trainings} `, progressBar(study)),
      el("td", null, String(study.failed)),
      el("td", null, duration(study.elapsed)),
    );
  const head = ["study", "state", "best", "trainings", "failed", "elapsed"];
  return el(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": "Studies" },
    el(
      "table",
      null,
      el(
        "thead",
        null,
        el(
          "tr",
          null,
          head.map((name, place) => el("th", { scope: "col", class: place < 2 ? "text" : null }, name)),
        ),
      ),
      el("tbody", null, studies.map(row)),
    ),
  );
}

function differences({ studies, differences: found }) {
  const text = (value) => (value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
  if (interactive && !Object.keys(found ?? {}).length) return null; // methods of one plan
  const rows = Object.entries(found ?? {}).map(([key, values]) =>
    el(
      "tr",
      null,
      el("th", { scope: "row", class: "text" }, key),
      values.map((value) => el("td", { class: "text" }, text(value))),
    ),
  );
  const head = el(
    "tr",
    null,
    el("th", { scope: "col", class: "text" }, "key"),
    studies.map(({ name }) => el("th", { scope: "col", class: "text" }, name)),
  );
  return el(
    "section",
    { id: "differences", "aria-labelledby": "differences-title" },
    el("header", null, el("h2", { id: "differences-title" }, "How their configs differ")),
    rows.length
      ? el(
          "div",
          { class: "wide", tabindex: 0, role: "region", "aria-label": "Differences" },
          el("table", null, el("thead", null, head), el("tbody", null, rows)),
        )
      : el("p", { class: "note" }, "They do not."),
  );
}
