"use strict";

// The page: its controls change the view, and every change draws all.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const view = { experiment: 0, quantity: "", axis: "step", seeds: new Set(), labels: new Set(), each: false, log: true };

// options fills a menu.
function options(menu, all, value) {
  menu.replaceChildren(...all.map(o => new Option(o.label, o.key, false, o.key === value)));
}

// check is a box with a label, before which a series has its line; draw is called after a
// change.
function check(parent, label, on, change, series) {
  const l = document.createElement("label"), box = document.createElement("input");
  box.type = "checkbox";
  box.checked = on;
  box.onchange = () => { change(box.checked); draw(); };
  l.append(box);
  if (series) {
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.style.borderTop = `.3em ${series.dotted ? "dotted" : "solid"} ${series.color}`;
    l.append(mark);
  }
  const text = document.createElement("span");
  text.textContent = label;
  l.append(text);
  parent.append(l);
}

// choose begins with an experiment: all methods and seeds, the quantity that is there.
function choose(i) {
  const e = data[i];
  Object.assign(view, { experiment: i, seeds: new Set(seedsOf(e)), labels: new Set(e.series.map(s => s.label)) });
  const there = quantities.filter(q => has(e, q.key));
  if (!there.some(q => q.key === view.quantity)) pick(there.length > 0 ? there[0].key : "train_loss");
  options($("quantity"), there, view.quantity);
  lists();
}

// lists fills the lists of methods and seeds.
function lists() {
  const e = data[view.experiment];
  const toggle = set => v => on => on ? set.add(v) : set.delete(v);
  $("methods").replaceChildren();
  for (const s of e.series) check($("methods"), s.label, view.labels.has(s.label), toggle(view.labels)(s.label), s);
  $("seeds").replaceChildren();
  for (const seed of seedsOf(e)) check($("seeds"), String(seed), view.seeds.has(seed), toggle(view.seeds)(seed));
}

function pick(quantity) {
  view.quantity = quantity;
  view.log = quantities.find(q => q.key === quantity).log;
  $("log").checked = view.log;
}

// draw shows the curves of the view and their last values.
function draw() {
  const curves = chosen(data, view);
  const q = quantities.find(q => q.key === view.quantity), a = axes.find(a => a.key === view.axis);
  $("picture").innerHTML = picture(curves, a.label, q.label, view.log);
  $("at").textContent = "last";
  values(curves.map(c => [c, c.points[c.points.length - 1]]), a);
  $("picture").onmousemove = event => {
    const b = bounds(curves, view.log);
    if (b === null) return;
    const box = $("picture").firstElementChild.getBoundingClientRect();
    const x = scale(frame.left, frame.width - frame.right, b.x0, b.x1, false)((event.clientX - box.left) / box.width * frame.width);
    $("at").textContent = "near " + a.label + " " + text(Math.min(Math.max(x, b.x0), b.x1));
    values(curves.map(c => [c, nearest(c.points, x)]), a);
  };
  $("picture").onmouseleave = () => {
    $("at").textContent = "last";
    values(curves.map(c => [c, c.points[c.points.length - 1]]), a);
  };
}

// values fills the table of values at points.
function values(at, axis) {
  $("axis").textContent = axis.label;
  $("values").replaceChildren(...at.map(([c, p]) => {
    const row = document.createElement("tr");
    const range = p.low < p.high ? text(p.low) + " to " + text(p.high) : "";
    for (const cell of [c.label, text(p.x), text(p.y), range]) row.insertCell().textContent = cell;
    return row;
  }));
}

function start() {
  options($("experiment"), data.map((e, i) => ({ label: e.title + ", " + e.scale, key: String(i) })), "0");
  options($("axes"), axes, view.axis);
  $("experiment").onchange = () => { choose(Number($("experiment").value)); draw(); };
  $("quantity").onchange = () => { pick($("quantity").value); draw(); };
  $("axes").onchange = () => { view.axis = $("axes").value; draw(); };
  $("log").onchange = () => { view.log = $("log").checked; draw(); };
  $("each").onchange = () => { view.each = $("each").checked; draw(); };
  for (const [id, on] of [["all", true], ["none", false]]) {
    $(id).onclick = () => {
      view.labels = new Set(on ? data[view.experiment].series.map(s => s.label) : []);
      lists();
      draw();
    };
  }
  choose(0);
  draw();
}

start();
