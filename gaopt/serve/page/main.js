// Where the page begins: the view is named by the path.

import { interactive } from "./api.js";
import { compareView } from "./views/compare.js";
import { newView } from "./views/new.js";
import { queueView } from "./views/queue.js";
import { refused, shell } from "./views/shell.js";
import { studiesView } from "./views/studies.js";
import { studyView } from "./views/study.js";
import { el, fill } from "./dom.js";

function viewOf(path) {
  const study = path.match(/^\/studies\/([^/]+)\/?$/);
  if (study) return (main) => studyView(main, decodeURIComponent(study[1]));
  return { "/": studiesView, "/compare": compareView, "/new": newView, "/queue": queueView }[path];
}

async function show(main) {
  const view = viewOf(interactive ? interactive.path : location.pathname);
  if (!view) return fill(main, el("h1", null, "Nothing here"), el("p", null, el("a", { href: "/" }, "All studies")));
  try {
    await view(main);
  } catch (error) {
    refused(main, error);
    if (error.status === undefined) throw error; // no refusal, but a fault of the page: the console says where
  }
  const part = location.hash && document.getElementById(location.hash.slice(1));
  if (part) part.scrollIntoView();
}

show(shell());
