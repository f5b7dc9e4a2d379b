"use strict";

// The functions on data come first; those that touch the document are at the end.

// quantities are what curves can show, in the order of the menu.
const quantities = [
  { key: "train_loss", label: "training loss", log: true },
  { key: "test_loss", label: "test loss", log: true },
  { key: "accuracy", label: "test accuracy, %", log: false },
  { key: "rate", label: "learning rate", log: true },
];

// axes are the horizontal axes.
const axes = [
  { key: "step", label: "step" },
  { key: "epoch", label: "epoch" },
  { key: "seconds", label: "seconds in training steps" },
];

function median(values) {
  const s = [...values].sort((a, b) => a - b);
  const m = s.length >> 1;
  return s.length % 2 ? s[m] : (s[m - 1] + s[m]) / 2;
}

// curve has the medians and the smallest and largest values over runs at each step that
// all runs have. A value that is null, which is one that is not finite, ends the curve.
function curve(runs, axis, quantity) {
  const points = [];
  if (runs.length === 0) return points;
  const places = runs.map(r => new Map(r.step.map((s, i) => [s, i])));
  for (const step of runs[0].step) {
    if (!places.every(p => p.has(step))) continue;
    const at = places.map(p => p.get(step));
    const y = runs.map((r, k) => r[quantity] ? r[quantity][at[k]] : null);
    if (y.some(v => v === null)) {
      if (points.length > 0) break;
      continue;
    }
    const x = runs.map((r, k) => r[axis][at[k]]);
    points.push({ x: median(x), y: median(y), low: Math.min(...y), high: Math.max(...y) });
  }
  return points;
}

// has reports whether any run of an experiment has the quantity.
function has(experiment, quantity) {
  return experiment.series.some(s => s.runs.some(r => r[quantity] && r[quantity].some(v => v !== null)));
}

// seedsOf are the seeds of an experiment's runs.
function seedsOf(experiment) {
  const all = new Set();
  for (const s of experiment.series) for (const r of s.runs) all.add(r.seed);
  return [...all].sort((a, b) => a - b);
}

// ticks are round numbers between two values.
function ticks(low, high, log) {
  const all = [];
  if (log) {
    const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
    const every = Math.max(1, Math.ceil((last - first + 1) / 8));
    for (let e = first; e <= last; e += every) all.push(Math.pow(10, e));
    if (all.length >= 2) return all;
    for (let e = first - 1; e <= last; e++) {
      for (const m of [1, 2, 5]) {
        const v = m * Math.pow(10, e);
        if (v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9) && !all.includes(v)) all.push(v);
      }
    }
    all.sort((a, b) => a - b);
    if (all.length >= 2) return all;
    all.length = 0; // less than a factor of two: as on a linear axis
  }
  const rough = (high - low) / 6;
  const unit = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 5, 10].map(m => m * unit).find(s => s >= rough * 0.999);
  for (let i = Math.ceil(low / step - 1e-9) + 0 /* not -0 */; i * step <= high + 1e-9 * step; i++) all.push(i * step);
  return all;
}

// text is a number as it is written at an axis.
function text(v) {
  if (v === 0) return "0";
  const a = Math.abs(v);
  if (a >= 1e5 || a < 1e-3) return v.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(Number(v.toPrecision(4)));
}

// bounds are the smallest and largest values of curves, widened a little. On a logarithmic
// axis values that are not above 0 are left out.
function bounds(curves, log) {
  let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
  for (const c of curves) {
    for (const p of c.points) {
      x0 = Math.min(x0, p.x);
      x1 = Math.max(x1, p.x);
      for (const y of [p.low, p.high]) {
        if (log && y <= 0) continue;
        y0 = Math.min(y0, y);
        y1 = Math.max(y1, y);
      }
    }
  }
  if (x0 === Infinity || y0 === Infinity) return null;
  if (x0 === x1) x1 = x0 + 1;
  if (log) {
    const pad = Math.max(Math.pow(y1 / y0, 0.04), 1.02);
    return { x0, x1, y0: y0 / pad, y1: y1 * pad };
  }
  const pad = 0.04 * (y1 - y0) || 0.02 * Math.abs(y1) || 1;
  return { x0, x1, y0: y0 - pad, y1: y1 + pad };
}

// scale maps the values between low and high to the pixels between from and to.
function scale(low, high, from, to, log) {
  const f = log ? Math.log : v => v;
  return v => from + (to - from) * (f(v) - f(low)) / (f(high) - f(low));
}

const frame = { width: 900, height: 540, left: 78, right: 30, top: 14, bottom: 52 };

const escaped = s => s.replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

// picture draws curves as SVG: {label, color, dotted, points} each.
function picture(curves, axisLabel, quantityLabel, log) {
  const { width, height, left, right, top, bottom } = frame;
  const b = bounds(curves, log);
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(quantityLabel)} by ${escaped(axisLabel)}">`;
  if (b === null) return head + `<text x="${width / 2}" y="${height / 2}" text-anchor="middle">nothing to draw: choose a method and a seed</text></svg>`;
  const sx = scale(b.x0, b.x1, left, width - right, false), sy = scale(b.y0, b.y1, height - bottom, top, log);
  const parts = [head];
  for (const v of ticks(b.y0, b.y1, log)) {
    const y = sy(v).toFixed(1);
    parts.push(`<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/><text x="${left - 8}" y="${y}" dy=".35em" text-anchor="end">${text(v)}</text>`);
  }
  for (const v of ticks(b.x0, b.x1, false)) {
    const x = sx(v).toFixed(1);
    parts.push(`<line class="grid" y1="${top}" y2="${height - bottom}" x1="${x}" x2="${x}"/><text x="${x}" y="${height - bottom + 20}" text-anchor="middle">${text(v)}</text>`);
  }
  parts.push(`<rect class="frame" x="${left}" y="${top}" width="${width - left - right}" height="${height - top - bottom}"/>`);
  parts.push(`<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${escaped(axisLabel)}</text>`);
  parts.push(`<text transform="translate(18 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(quantityLabel)}</text>`);
  for (const c of curves) {
    const visible = c.points.filter(p => !log || p.low > 0);
    const at = (p, k) => `${sx(p.x).toFixed(1)},${sy(p[k]).toFixed(1)}`;
    if (visible.some(p => p.low < p.high)) {
      parts.push(`<polygon points="${[...visible.map(p => at(p, "low")), ...visible.reverse().map(p => at(p, "high"))].join(" ")}" fill="${c.color}" opacity=".15"/>`);
      visible.reverse();
    }
    const dash = c.dotted ? ' stroke-dasharray="2 4"' : "";
    parts.push(`<polyline points="${visible.map(p => at(p, "y")).join(" ")}" fill="none" stroke="${c.color}" stroke-width="2"${dash}><title>${escaped(c.label)}</title></polyline>`);
  }
  parts.push("</svg>");
  return parts.join("\n");
}

// nearest is the point of a curve whose x is closest.
function nearest(points, x) {
  return points.reduce((best, p) => best === null || Math.abs(p.x - x) < Math.abs(best.x - x) ? p : best, null);
}

// chosen are the curves of a view: {experiment, quantity, axis, seeds, labels, each}.
function chosen(data, view) {
  const all = [];
  data[view.experiment].series.forEach(s => {
    if (!view.labels.has(s.label)) return;
    const runs = s.runs.filter(r => view.seeds.has(r.seed));
    const groups = view.each ? runs.map(r => [r]) : [runs];
    for (const g of groups) {
      const points = curve(g, view.axis, view.quantity);
      if (points.length > 0) all.push({ label: view.each ? `${s.label}, seed ${g[0].seed}` : s.label, color: s.color, dotted: s.dotted, points });
    }
  });
  return all;
}

if (typeof module !== "undefined") module.exports = { median, curve, has, seedsOf, ticks, text, bounds, picture, nearest, chosen };
