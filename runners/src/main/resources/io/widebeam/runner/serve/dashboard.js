"use strict";

// What the page shows is in its address, so that it can be kept and passed on:
// ?table=ap.dwd_shops&date=ds&number=sum_fee&group=order_shop_id&value=35
const PARAMETERS = ["table", "date", "number", "group", "value"];
const REFRESH_MILLIS = 2000;
const ROWS = 100;
// Tables and the values to choose from change seldom: they are asked for in every so many rounds.
const ROUNDS_PER_LOOK = 5;

const element = (id) => document.getElementById(id);
const choice = Object.fromEntries(new URLSearchParams(location.search));
let tables = [];
let round = 0;
let shown = {};
let timer = 0;
let turn = 0;

async function ask(path, parameters = {}) {
  const query = new URLSearchParams(
    Object.entries(parameters).filter(([, value]) => value !== undefined && value !== ""));
  let response;
  try {
    response = await fetch(`api/${path}?${query}`);
  } catch {
    throw new Error("widebeam serve does not answer; is it still running?");
  }
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(answer.error);
  }
  return answer;
}

async function refresh() {
  clearTimeout(timer);
  const mine = ++turn;
  try {
    const look = round++ % ROUNDS_PER_LOOK === 0;
    if (look) {
      const answer = await ask("tables");
      if (mine !== turn) return;
      show("flow", answer.flow, () => {
        element("flow").textContent = answer.flow;
        document.title = `${answer.flow} – Widebeam`;
      });
      tables = answer.tables;
    }
    showChoice();
    const table = chosenTable();
    if (!table || table.columns.length === 0) {
      throw new Error(table ? `${table.id}: ${table.problem}` : "the flow writes no table yet");
    }
    const filter = { table: choice.table, group: choice.group, value: choice.value };
    const [sums, rows, values] = await Promise.all([
      choice.date && choice.number
        ? ask("sums", { ...filter, date: choice.date, number: choice.number })
        : null,
      ask("rows", { ...filter, limit: ROWS }),
      look && choice.group ? ask("values", { table: choice.table, column: choice.group }) : null,
    ]);
    if (mine !== turn) return; // Something else was chosen meanwhile.
    show("sums", [sums, choice.number, choice.date, innerWidth], () => showSums(sums));
    show("rows", [rows, table], () => showRows(rows, table));
    if (values) {
      show("values", values, () => showValues(values));
    }
    problem("");
    element("state").textContent = `Updated at ${new Date().toLocaleTimeString()}`;
  } catch (error) {
    if (mine !== turn) return;
    problem(error.message);
    round = 0; // Look for tables again with the next round.
  }
  timer = setTimeout(refresh, REFRESH_MILLIS);
}

/** Redraws a part only when its content has changed, so that a selection in it stays. */
function show(part, content, draw) {
  const text = JSON.stringify(content);
  if (shown[part] !== text) {
    shown[part] = text;
    draw();
  }
}

function problem(message) {
  const place = element("problem");
  if (place.textContent !== message) {
    place.textContent = message;
  }
  place.hidden = message === "";
  if (message) {
    element("state").textContent = "Trying again …";
  }
}

function chosenTable() {
  return tables.find((table) => table.id === choice.table);
}

function showChoice() {
  if (!chosenTable()) {
    // The one that has most to show.
    const worth = (table) => (table.date ? 2 : 0) + (table.number ? 1 : 0);
    const best = [...tables].sort((a, b) => worth(b) - worth(a))[0];
    choice.table = best ? best.id : "";
  }
  const table = chosenTable() || { columns: [] };
  const columns = table.columns.filter((column) => !column.own);
  const named = (kinds) =>
    columns.filter((column) => kinds.includes(column.kind)).map((column) => column.name);
  choose("table", tables.map((each) => each.id), choice.table, false);
  choose("date", named(["date"]), table.date, true);
  choose("number", named(["decimal", "integer"]), table.number, true);
  choose("group", named(["integer", "text", "decimal", "date", "other"]), table.group, true);
  if (document.activeElement !== element("value")) {
    element("value").value = choice.value || "";
  }
}

function choose(id, names, preferred, optional) {
  if (!names.includes(choice[id])) {
    choice[id] = preferred && names.includes(preferred) ? preferred : "";
  }
  show(`choice-${id}`, names, () => {
    const options = names.map((name) => new Option(name, name));
    element(id).replaceChildren(...(optional && !options.length ? [new Option("–", "")] : options));
  });
  element(id).value = choice[id];
  element(id).disabled = names.length === 0;
}

function changed(id) {
  const value = element(id).value;
  if ((choice[id] || "") === value) return;
  choice[id] = value;
  if (id === "table") {
    PARAMETERS.filter((name) => name !== "table").forEach((name) => delete choice[name]);
  }
  if (id === "group") {
    delete choice.value;
  }
  const query = new URLSearchParams(
    PARAMETERS.filter((name) => choice[name]).map((name) => [name, choice[name]]));
  history.replaceState(null, "", `?${query}`);
  round = 0;
  refresh();
}

function showValues(values) {
  element("values").replaceChildren(...values.values.map((value) => new Option(value)));
}

/** 32495.00 as 32,495.00: by its text, since a number would lose digits. */
function grouped(text) {
  const [, sign, whole, rest] = /^(-?)(\d+)(.*)$/.exec(text) || [];
  return whole === undefined ? text : sign + whole.replace(/\B(?=(\d{3})+$)/g, ",") + rest;
}

function cell(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function row(...cells) {
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

function showSums(sums) {
  element("sums").hidden = sums === null;
  if (sums === null) return;
  const days = sums.days;
  const last = days[days.length - 1];
  element("latest-day").textContent = last ? `Latest day, ${last.day}` : "Latest day";
  element("latest").textContent = last ? grouped(last.sum) : "–";
  element("total-title").textContent = sums.more ? `The last ${days.length} days` : "All days";
  element("total").textContent = last ? grouped(sums.total) : "–";
  element("days").tBodies[0].replaceChildren(
    ...[...days].reverse().map((day) => row(cell("td", day.day), cell("td", grouped(day.sum), "number"))));
  element("chart").replaceChildren(days.length ? chart(days) : cell("p", "No rows yet.", "missing"));
}

function showRows(rows, table) {
  const kinds = Object.fromEntries(table.columns.map((column) => [column.name, column.kind]));
  const hidden = new Set(table.columns.filter((column) => column.own).map((column) => column.name));
  const places = rows.columns.map((name, place) => place).filter((place) => !hidden.has(rows.columns[place]));
  const isNumber = (name) => kinds[name] === "decimal" || kinds[name] === "integer";
  element("rows").tHead.replaceChildren(
    row(...places.map((place) => {
      const name = rows.columns[place];
      const head = cell("th", name, isNumber(name) ? "number" : "");
      head.scope = "col";
      return head;
    })));
  element("rows").tBodies[0].replaceChildren(
    ...rows.rows.map((values) =>
      row(...places.map((place) => {
        const kind = kinds[rows.columns[place]];
        const value = values[place];
        if (value === null) return cell("td", "null", "missing");
        // A key is no amount: it stands as it is.
        const made = cell("td", kind === "decimal" ? grouped(value) : value,
          isNumber(rows.columns[place]) ? "number" : "");
        if (value.length > 40) made.title = value;
        return made;
      }))));
  element("more").hidden = !rows.more;
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Steps of 1, 2 or 5 times a power of ten, about four of them. */
function step(span) {
  const rough = span / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
}

function chart(days) {
  const width = Math.max(280, element("chart").clientWidth);
  const height = 240;
  const margin = { left: 72, right: 16, top: 12, bottom: 28 };
  const points = days.map((day) => ({ ...day, at: Date.parse(day.day), value: Number(day.sum) }));
  const from = points[0].at;
  const to = points[points.length - 1].at;
  const lowest = Math.min(0, ...points.map((point) => point.value));
  const highest = Math.max(0, ...points.map((point) => point.value));
  const size = step(highest - lowest || 1);
  const bottom = Math.floor(lowest / size) * size;
  const top = Math.max(Math.ceil(highest / size) * size, bottom + size);
  const x = (at) => from === to
    ? (margin.left + width - margin.right) / 2
    : margin.left + ((at - from) / (to - from)) * (width - margin.left - margin.right);
  const y = (value) =>
    height - margin.bottom - ((value - bottom) / (top - bottom)) * (height - margin.top - margin.bottom);

  const parts = [];
  for (let value = bottom; value <= top + size / 2; value += size) {
    parts.push(svg("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) }));
    parts.push(svg("text", { x: margin.left - 8, y: y(value) + 4, "text-anchor": "end" },
      grouped(String(Number(value.toPrecision(12))))));
  }
  const labels = from === to ? [from] : [from, to];
  labels.forEach((at, place) => {
    const anchor = labels.length === 1 ? "middle" : place === 0 ? "start" : "end";
    parts.push(svg("text", { x: x(at), y: height - 8, "text-anchor": anchor },
      new Date(at).toISOString().slice(0, 10)));
  });
  parts.push(svg("path", {
    class: "line",
    d: points.map((point, i) => `${i ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`).join(""),
  }));
  for (const point of points) {
    parts.push(svg("circle", { class: "point", cx: x(point.at), cy: y(point.value), r: points.length > 60 ? 2 : 4 },
      svg("title", {}, `${point.day}: ${grouped(point.sum)}`)));
  }
  const last = days[days.length - 1];
  return svg("svg", {
    width, height, role: "img",
    "aria-label": `Line of ${days.length} daily sums from ${days[0].day} to ${last.day}; the latest is ${grouped(last.sum)}`,
  }, ...parts);
}

element("choice").addEventListener("submit", (event) => event.preventDefault());
["table", "date", "number", "group", "value"].forEach((id) =>
  element(id).addEventListener("change", () => changed(id)));
addEventListener("resize", () => refresh());
// Nobody looks at a hidden page, and the database has better things to do.
document.addEventListener("visibilitychange", () =>
  document.hidden ? (turn++, clearTimeout(timer)) : refresh());
refresh();
