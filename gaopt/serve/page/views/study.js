// One study, live: every part of it on one page, all with the same selection.

import { interactive } from "../api.js";
import { curvesChart } from "../charts/curves.js";
import { expectedChart } from "../charts/expected.js";
import { lineageChart } from "../charts/lineage.js";
import { parallelChart } from "../charts/parallel.js";
import { searchChart } from "../charts/search.js";
import { sliceChart } from "../charts/slice.js";
import { timelineChart } from "../charts/timeline.js";
import { el, fill } from "../dom.js";
import { onSelect, select, selected } from "../selection.js";
import { openStudy } from "../store.js";
import { filesPanel, notesPanel, settingPanel } from "./about.js";
import { chosenPanel } from "./chosen.js";
import { failuresPanel } from "./failures.js";
import { studyHead } from "./head.js";
import { individualsTable } from "./individuals.js";
import { showLink, titled } from "./shell.js";

export async function studyView(main, name) {
  titled(name);
  const store = await openStudy(name);
  const head = studyHead(store);
  if (!Object.keys(store.snapshot.space).length) await begun(main, store, head);
  const charts = [searchChart, curvesChart, sliceChart, expectedChart, lineageChart, timelineChart, parallelChart].map((make) => make(store));
  const [search, curves, slice, expected, lineage, timeline, parallel] = charts;
  const table = individualsTable(store);
  const chosen = chosenPanel(store);
  const failures = failuresPanel(store);
  const files = filesPanel(store);
  const setting = settingPanel(store);
  const parts = [search, curves, table, slice, expected, lineage, timeline, parallel, failures, setting];
  fill(
    main,
    head.node,
    contents(parts),
    el("div", { class: "pair" }, search.node, curves.node),
    chosen.node,
    table.node,
    slice.node,
    el("div", { class: "pair" }, expected.node, lineage.node),
    timeline.node,
    parallel.node,
    failures.node,
    interactive ? null : el("div", { class: "pair" }, notesPanel(store), files.node),
    setting.node,
  );
  const updates = { individuals: [head, table, chosen, ...charts], study: [head, files, setting], curves: [head, curves], failed: [failures] };
  const update = (changes) => {
    if (changes.has("link")) showLink(store.link);
    for (const part of new Set([...changes].flatMap((kind) => updates[kind] ?? []))) part.update();
  };
  store.watch(update);
  update(new Set(["individuals", "study", "failed", "link"]));
  store.redraw = () => charts.forEach((chart) => chart.update());
  onSelect(store.redraw);
  addEventListener(
    "keydown",
    ({ key, target }) => key === "Escape" && selected().size && !/INPUT|TEXTAREA|SELECT/.test(target.tagName) && select([]),
  );
  if (!interactive) setInterval(() => store.snapshot.study.state === "running" && timeline.update(), 2000);
}

/** Show the head alone until the study has begun: before that it has no genes, and all else no columns. */
async function begun(main, store, head) {
  fill(main, head.node);
  head.update();
  await new Promise((resolve) =>
    store.watch((changes) => {
      showLink(store.link);
      head.update();
      if (changes.has("individuals")) resolve();
    }),
  );
  store.watchers.clear();
  await store.reload();
}

/** Links to the parts of the page. */
function contents(parts) {
  const link = ({ node, short }) => el("a", { href: `#${node.id}` }, short ?? node.querySelector("h2").textContent);
  return el("nav", { class: "contents", "aria-label": "Parts of this study" }, parts.map(link));
}
