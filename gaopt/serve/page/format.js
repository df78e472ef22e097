// Numbers, times and genes in words, as the reports have them.

const DASH = "–";

/** Three significant digits; small and large ones with a short exponent: 0.0031, 2.4e-6. */
export function number(value, digits = 3) {
  if (typeof value !== "number" || !Number.isFinite(value)) return DASH;
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5)) return String(Number(value.toPrecision(digits)));
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return `${Number(mantissa)}e${Number(exponent)}`;
}

/** A fitness or a loss: four decimals, or as many digits if it is large or tiny. */
export function score(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return DASH;
  const plain = value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1000);
  return plain ? value.toFixed(4) : number(value, 5);
}

/** A gene's value. */
export function gene(value) {
  if (value === null || value === undefined) return DASH;
  return typeof value === "number" ? number(value) : String(value);
}

/** All genes in a line: lr 0.0031, flip true. */
export function genes(values) {
  return Object.entries(values ?? {})
    .map(([name, value]) => `${name} ${gene(value)}`)
    .join(", ");
}

/** Seconds as people say them: 0.4 s, 48 s, 12 min 30 s, 3 h 20 min, 2 d 4 h. */
export function duration(seconds) {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return DASH;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const all = Math.round(seconds);
  const parts = [
    [Math.floor(all / 86400), "d"],
    [Math.floor(all / 3600) % 24, "h"],
    [Math.floor(all / 60) % 60, "min"],
    [all % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count)
    .map((part) => part.join(" "))
    .join(" ");
}

/** A moment, in the reader's own time: today's without its date, this year's without the year. */
export function moment(seconds) {
  if (!seconds) return DASH;
  const at = new Date(seconds * 1000);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === new Date().toDateString()) return time;
  const year = at.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return `${at.toLocaleDateString([], { year, month: "short", day: "numeric" })}, ${time}`;
}

/** 1 epoch, 2 epochs. */
export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** A share as a percentage. */
export function percent(share, digits = 0) {
  return `${(100 * share).toFixed(digits)} %`;
}

/** An individual as it is called: i12. */
export function called(id) {
  return `i${id}`;
}
