// Colours of charts, light and dark, as gaopt/report/plots/style.py has them: apart for colour-blind eyes and in grey.

const dark = matchMedia("(prefers-color-scheme: dark)");
const print = matchMedia("print");

const LIGHT = {
  paper: "#ffffff",
  ink: "#1f2933",
  muted: "#5d6875",
  line: "#e3e7ec",
  soft: "#f6f7f9",
  lost: "#7d8894",
  best: "#d55e00",
  scored: "#3b6fb0",
  running: "#2f7f6f",
  idle: "#eceff3",
  fitness: ["#7ad151", "#35b779", "#21908d", "#31688e", "#443983", "#440154"],
  generation: ["#9bd4b7", "#5fbdbf", "#3399c0", "#2467a4", "#1d3c8c", "#0d1f5c"],
  shades: ["#d55e00", "#114c90", "#52a664", "#a76985", "#532d03", "#5898d8", "#1f2933", "#5a81fb"],
};
const DARK = {
  paper: "#14181d",
  ink: "#e6e9ed",
  muted: "#9aa6b2",
  line: "#2c343d",
  soft: "#1c2229",
  lost: "#7f8b98",
  best: "#ff9350",
  scored: "#6ea8e8",
  running: "#5fc2ad",
  idle: "#222a32",
  fitness: ["#3b528b", "#2f6f8e", "#21908d", "#35b779", "#90d743", "#fde725"],
  generation: ["#2d5f73", "#35839a", "#4fa9b8", "#83c8c4", "#b9e3d0", "#f0fbe4"],
  shades: ["#ff9350", "#7fb4f5", "#7fd491", "#d79ab6", "#c9a27c", "#a9cdf5", "#e6e9ed", "#9db4ff"],
};

export function colours() {
  return dark.matches && !print.matches ? DARK : LIGHT;
}

/** Call when the colours change: another scheme, or paper. */
export function onColours(listener) {
  dark.addEventListener("change", listener);
  addEventListener("beforeprint", listener);
  addEventListener("afterprint", listener);
}

/** The colour of a share from 0 to 1 on a scale of six. */
export function shade(scale, share) {
  return scale[Math.max(0, Math.min(scale.length - 1, Math.floor(share * scale.length)))];
}
