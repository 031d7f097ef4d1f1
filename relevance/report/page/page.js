"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MINUS = "\u2212", DASH = "\u2013";
  const MARKS = [
    [1, "the 95\u00a0% interval covers 0", "*"],
    [2, "no run beats the majority class", "\u2020"],
    [4, "a run behind it collapsed", "\u2021"],
    [8, "predicted, not measured", ""],
  ];
  const ORDERS = { clusters: "groups", given: "as given", dendrogram: "dendrogram" };
  const ROWS = 25, DRAWN = 60, NAME_PX = 150;
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);

  // ---- numbers -------------------------------------------------------------------------------

  function unpacked(packed) {
    if (packed === null || Array.isArray(packed)) return packed && ((place) => packed[place]);
    const text = atob(packed.int16 || packed.float32);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const view = packed.int16 ? new Int16Array(bytes.buffer) : new Float32Array(bytes.buffer);
    if (packed.int16) return (i) => (view[i] === -32768 ? null : view[i] / packed.scale);
    return (i) => (Number.isNaN(view[i]) ? null : view[i]);
  }

  function digits(value, decimals) {
    if (value === null) return DASH;
    if (decimals === null && value === 0) return "0";
    const text = decimals === null ? value.toExponential(2).replace("e+", "e") : value.toFixed(decimals);
    return (Number(text) === 0 ? text.replace("-", "") : text).replaceAll("-", MINUS);
  }

  const signed = (map, value) => (map.signed && value > 0 ? "+" : "") + digits(value, map.decimals);
  const unitOf = (map) => (map.unit === "%" ? "\u00a0%" : " " + map.unit);

  for (const map of data.maps) {
    const scores = map.scores || { single: null, joint: null, majority: null };
    map.value = unpacked(map.values);
    map.error = unpacked(map.errors);
    map.half = unpacked(map.halves);
    map.single = unpacked(scores.single);
    map.joint = unpacked(scores.joint);
    map.majority = unpacked(scores.majority);
    map.count = map.tasks.length;
    map.place = new Map(map.tasks.map((task, place) => [task, place]));
  }
  const groupOf = new Map();
  data.groups.forEach((group, number) => group.tasks.forEach((task) => groupOf.set(task, number)));
  const scales = {};
  for (const [name, scale] of Object.entries(data.scales)) {
    const steps = [...scale.light].map((light, step) => ({
      hex: "#" + scale.colours.slice(6 * step, 6 * step + 6),
      light: light === "1",
    }));
    scales[name] = steps;
  }

  function stepOf(map, value) {
    const steps = scales[map.scale];
    const share = (value - map.low) / (map.high - map.low);
    return steps[Math.max(0, Math.min(steps.length - 1, Math.floor(share * steps.length)))];
  }

  const markOf = (map, cell) => parseInt(map.marks[cell], 16);

  // ---- what is shown now ---------------------------------------------------------------------

  const state = { map: data.maps[0], order: "", places: [], sizes: [], marked: null, at: null, over: null, first: 0 };
  let drawn = null; // elements and sizes of the map that is drawn

  const taskAt = (shown) => state.map.tasks[state.places[shown]];
  const cellAt = (at) => state.places[at.row] * state.map.count + state.places[at.column];

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function drawing(parent, name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  function button(task) {
    const made = element("button", { type: "button", class: "task", "data-task": task }, data.tasks[task]);
    made.classList.toggle("marked", task === state.marked);
    return made;
  }

  // ---- the map -------------------------------------------------------------------------------

  const pen = document.createElement("canvas").getContext("2d");
  const FONT = getComputedStyle(document.body).fontFamily;

  function fitted(text, size, width) {
    if (pen.measureText(text).width <= width) return text;
    const letters = [...text];
    while (letters.length > 1 && pen.measureText(letters.join("") + "\u2026").width > width) letters.pop();
    return letters.join("") + "\u2026";
  }

  function widest(size, width) {
    pen.font = `${size}px ${FONT}`;
    return Math.min(width, Math.max(...state.map.tasks.map((task) => pen.measureText(data.tasks[task]).width)));
  }

  function draw() {
    const map = state.map, count = map.count, side = map.cell;
    const size = Math.max(11, Math.min(13, 0.42 * side));
    const names = widest(size, NAME_PX);
    const upright = names > side - 4;
    const left = names + 24, top = (upright ? names : size) + 26;
    const width = left + count * side + 4, height = top + count * side + 4;
    const sheet = element("div", { class: "sheet" });
    sheet.style.maxWidth = `${width}px`;
    sheet.style.minWidth = count <= 30 ? `${left + count * Math.min(side, 30)}px` : `${Math.min(width, 640)}px`;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("aria-hidden", "true");
    if (count > DRAWN) {
      const canvas = painted(map);
      Object.assign(canvas.style, {
        left: `${100 * left / width}%`, top: `${100 * top / height}%`,
        width: `${100 * count * side / width}%`, height: `${100 * count * side / height}%`,
      });
      sheet.append(canvas);
    }
    sheet.append(svg);
    drawn = { svg, side, left, top, count, rows: [], columns: [] };
    if (count <= DRAWN) drawCells(svg, map);
    drawFrames(svg);
    drawNames(svg, size, upright, names);
    drawn.over = drawing(svg, "g", {});
    $("map").replaceChildren(sheet);
    $("map").setAttribute("aria-label", `${map.name}: ${map.quantity}, ${count} sources by ${count} targets`);
    drawBar(map);
    $("notes").replaceChildren(...map.notes.map((note) => element("li", {}, note)));
  }

  function painted(map) {
    const canvas = element("canvas", { width: map.count, height: map.count });
    const context = canvas.getContext("2d");
    const image = context.createImageData(map.count, map.count);
    const pixels = new Uint32Array(image.data.buffer);
    const colour = (hex) => {
      const rgb = parseInt(hex.slice(1), 16);
      return (0xff000000 | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
    };
    const steps = scales[map.scale].map((step) => colour(step.hex));
    const factor = steps.length / (map.high - map.low), places = state.places, last = steps.length - 1, empty = colour("#ededed");
    let at = 0;
    for (const source of places) {
      for (const target of places) {
        const value = map.value(source * map.count + target);
        const step = Math.max(0, Math.min(last, Math.floor((value - map.low) * factor)));
        pixels[at++] = value === null || (map.fixed && source === target) ? empty : steps[step];
      }
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  function drawCells(svg, map) {
    const { side, left, top } = drawn;
    const gap = side > 20 ? 1 : 0.5;
    state.places.forEach((source, row) => state.places.forEach((target, column) => {
      const cell = source * map.count + target, value = map.value(cell);
      const x = left + column * side, y = top + row * side, mark = markOf(map, cell);
      const box = { x: x + gap / 2, y: y + gap / 2, width: side - gap, height: side - gap };
      const still = map.fixed && source === target;
      if (value === null || still) drawing(svg, "rect", { ...box, class: "empty" });
      const step = value === null ? null : stepOf(map, value);
      if (step && !still) drawing(svg, "rect", { ...box, fill: step.hex });
      if (value === null) {
        drawing(svg, "path", { class: "cross", d: `M${x + 3} ${y + 3}l${side - 6} ${side - 6}m0 ${6 - side}l${6 - side} ${side - 6}` });
      }
      if (mark) drawMarks(svg, x, y, mark, step && step.light);
      const text = map.texts[cell];
      if (text) drawText(svg, x, y, text, step, still, mark & 1);
    }));
  }

  function drawText(svg, x, y, text, step, still, hatched) {
    const { side } = drawn, size = state.map.textSize;
    const attributes = {
      x: x + side / 2, y: y + side / 2 + 0.36 * size, "font-size": size, "text-anchor": "middle",
      class: still ? "pale" : step.light ? "dark" : "light",
    };
    if (hatched) Object.assign(attributes, { stroke: step.hex, "stroke-width": 2.5, "paint-order": "stroke" });
    drawing(svg, "text", attributes, text);
  }

  function drawMarks(svg, x, y, mark, light) {
    const { side } = drawn, corner = (points, fill) =>
      drawing(svg, "path", { d: `M${points.map(([a, b]) => `${x + a * side} ${y + b * side}`).join("L")}Z`, fill, stroke: "#262626", "stroke-width": 0.4 });
    if (mark & 1) {
      const lines = [1, 2, 3, 4, 5].map((step) => {
        const end = step / 3, low = Math.max(0, end - 1), high = Math.min(1, end), inset = (share) => side * (0.04 + 0.92 * share);
        return `M${x + inset(low)} ${y + inset(high)}L${x + inset(high)} ${y + inset(low)}`;
      });
      drawing(svg, "path", { d: lines.join(""), stroke: light ? "#8c8c8c" : "#ffffffb0", "stroke-width": 0.6, fill: "none" });
    }
    if (mark & 2) corner([[0.72, 0.04], [0.96, 0.04], [0.96, 0.28]], "#ffb000");
    if (mark & 4) corner([[0.28, 0.96], [0.04, 0.96], [0.04, 0.72]], "#262626");
    if (mark & 8) corner([[0.72, 0.96], [0.96, 0.96], [0.96, 0.72]], "#ffffff");
  }

  function drawFrames(svg) {
    const { side, left, top } = drawn;
    let start = 0;
    drawn.frames = state.sizes.map((size) => {
      const frame = drawing(svg, "rect", {
        class: "frame", x: left + start * side, y: top + start * side, width: size * side, height: size * side,
      });
      frame.group = groupOf.get(taskAt(start));
      start += size;
      return frame;
    });
  }

  function drawNames(svg, size, upright, room) {
    const { side, left, top, count } = drawn, step = Math.ceil((size + 1) / side);
    drawing(svg, "text", { class: "axis", x: left + (count * side) / 2, y: 11, "font-size": 12, "text-anchor": "middle" }, "target");
    const middle = top + (count * side) / 2;
    drawing(svg, "text", { class: "axis", x: 11, y: middle, "font-size": 12, "text-anchor": "middle", transform: `rotate(-90 11 ${middle})` }, "source");
    drawn.named = (shown, add) => {
      const task = taskAt(shown), text = fitted(data.tasks[task], size, room + 1);
      const x = left + (shown + 0.5) * side, y = top + (shown + 0.5) * side;
      const row = drawing(add, "text", { class: "name", x: left - 6, y: y + 0.36 * size, "font-size": size, "text-anchor": "end" }, text);
      const column = upright
        ? drawing(add, "text", { class: "name", x: x + 0.36 * size, y: top - 6, "font-size": size, transform: `rotate(-90 ${x + 0.36 * size} ${top - 6})` }, text)
        : drawing(add, "text", { class: "name", x, y: top - 7, "font-size": size, "text-anchor": "middle" }, text);
      for (const name of [row, column]) {
        name.dataset.task = task;
        if (text !== data.tasks[task]) drawing(name, "title", {}, data.tasks[task]);
      }
      drawn.rows[shown] = row;
      drawn.columns[shown] = column;
    };
    for (let shown = 0; shown < count; shown += step) drawn.named(shown, svg);
  }

  function drawBar(map) {
    const svg = document.createElementNS(SVG, "svg"), width = 320, steps = scales[map.scale];
    svg.setAttribute("viewBox", `0 0 ${width + 20} 46`);
    svg.setAttribute("aria-hidden", "true");
    const fill = drawing(drawing(svg, "defs", {}), "linearGradient", { id: "colours" });
    for (let stop = 0; stop <= 16; stop++) {
      drawing(fill, "stop", { offset: stop / 16, "stop-color": steps[Math.min(255, 16 * stop)].hex });
    }
    drawing(svg, "rect", { x: 10, y: 0, width, height: 10, fill: "url(#colours)" });
    for (const [value, text] of map.ticks) {
      const x = 10 + (width * (value - map.low)) / (map.high - map.low);
      drawing(svg, "line", { x1: x, x2: x, y1: 10, y2: 14 });
      drawing(svg, "text", { x, y: 25, "text-anchor": "middle" }, text);
    }
    drawing(svg, "text", { x: 10 + width / 2, y: 41, "text-anchor": "middle" }, map.quantity);
    $("bar").replaceChildren(svg);
  }

  // ---- the chosen cell and the marked task ---------------------------------------------------

  function outlines() {
    const { side, left, top, count, over } = drawn, at = state.over || state.at;
    over.replaceChildren();
    // Of hundreds of tasks a cell is a dot, which a line on it would hide: there the lines stand around it.
    const pad = Math.max(0, (7 - side) / 2), fine = side < 7 ? " fine" : "";
    const box = (kind, column, row, wide, high) => drawing(over, "rect", {
      class: kind + fine,
      x: left + column * side - (wide === 1 ? pad : 0), y: top + row * side - (high === 1 ? pad : 0),
      width: wide * side + (wide === 1 ? 2 * pad : 0), height: high * side + (high === 1 ? 2 * pad : 0),
    });
    const shown = state.marked === null ? -1 : state.places.indexOf(state.map.place.get(state.marked));
    if (shown >= 0) {
      box("band", 0, shown, count, 1);
      box("band", shown, 0, 1, count);
    }
    if (at) {
      box("halo", at.column, at.row, 1, 1);
      box("cursor", at.column, at.row, 1, 1);
    }
    const group = groupOf.get(state.marked);
    for (const names of [drawn.rows, drawn.columns]) {
      names.forEach((name, place) => {
        const task = Number(name.dataset.task);
        name.classList.toggle("marked", task === state.marked);
        name.classList.toggle("kin", group !== undefined && groupOf.get(task) === group);
        name.classList.toggle("here", Boolean(at) && place === (names === drawn.rows ? at.row : at.column));
      });
    }
    for (const frame of drawn.frames) frame.classList.toggle("marked", group !== undefined && frame.group === group);
  }

  function facts(at) {
    const map = state.map, cell = cellAt(at), source = state.places[at.row], target = state.places[at.column];
    const value = map.value(cell), unit = unitOf(map), found = [];
    const add = (name, text) => found.push([name, text]);
    if (map.error && map.error(cell) !== null) add("standard error", digits(map.error(cell), map.decimals));
    if (map.half && map.half(cell) !== null && value !== null) {
      const ends = [value - map.half(cell), value + map.half(cell)].map((end) => digits(end, map.decimals));
      add("95\u00a0% interval", `${ends[0]} to ${ends[1]}`);
    }
    if (map.scores && source !== target) {
      const of = (score) => digits(score, map.scores.decimals);
      add("target alone", of(map.single(target)));
      add("with the source", of(map.joint(cell)));
      if (map.majority) add("majority class", of(map.majority(target)));
      add("scores are", map.scores.metric);
    }
    const marks = MARKS.filter(([bit]) => markOf(map, cell) & bit).map(([, words]) => words);
    return {
      pair: [data.tasks[map.tasks[source]], data.tasks[map.tasks[target]]],
      value: value === null ? "unknown" : signed(map, value),
      unit: value === null ? "" : unit,
      found, marks,
    };
  }

  function tell() {
    const at = state.over || state.at, panel = $("cell");
    if (!at) {
      panel.replaceChildren(element("p", {}, "Point at a cell, or move over the cells with the arrow keys."));
      return "";
    }
    const { pair, value, unit, found, marks } = facts(at);
    const list = element("dl");
    for (const [name, text] of found) list.append(element("dt", {}, name), element("dd", {}, text));
    // Each name apart, so that two in Arabic or Hebrew do not turn the arrow's sense round.
    const [source, target] = pair.map((name) => element("bdi", {}, name));
    panel.replaceChildren(element("p", { class: "pair", dir: "ltr" }, source, " \u2192 ", target), element("p", { class: "value" }, value, element("span", { class: "unit" }, unit)), list);
    if (marks.length) panel.append(element("ul", {}, ...marks.map((mark) => element("li", {}, mark))));
    return [pair.join(" \u2192 "), value + unit, ...found.map((fact) => fact.join(" ")), ...marks].join("; ");
  }

  function tellMarked() {
    const map = state.map, panel = $("marked"), place = map.place.get(state.marked);
    panel.replaceChildren();
    $("unmark").disabled = state.marked === null;
    if (state.marked === null) return;
    panel.append(element("p", { class: "pair" }, data.tasks[state.marked]));
    const group = data.groups[groupOf.get(state.marked)];
    if (group) panel.append(element("p", {}, `in ${group.name}, with ${group.tasks.length - 1} other${group.tasks.length === 2 ? "" : "s"}`));
    if (place === undefined) {
      panel.append(element("p", {}, "This matrix does not have it."));
      return;
    }
    const best = (heading, cellOf) => {
      const others = [...Array(map.count).keys()].filter((other) => other !== place && map.value(cellOf(other)) !== null);
      others.sort((one, other) => map.value(cellOf(other)) - map.value(cellOf(one)));
      const list = element("dl");
      for (const other of others.slice(0, 3)) {
        list.append(element("dt", {}, button(map.tasks[other])), element("dd", {}, signed(map, map.value(cellOf(other)))));
      }
      panel.append(element("p", {}, heading), list);
    };
    best("best sources for it", (other) => other * map.count + place);
    best("best targets of it", (other) => place * map.count + other);
  }

  function mark(task) {
    state.marked = task === state.marked ? null : task;
    const group = groupOf.get(state.marked);
    for (const row of document.querySelectorAll("tr[data-tasks]")) {
      const tasks = row.dataset.tasks.trim().split(/\s+/);
      row.classList.toggle("marked", state.marked !== null && tasks.includes(String(state.marked)));
    }
    for (const card of document.querySelectorAll("[data-group]")) {
      card.classList.toggle("marked", group !== undefined && Number(card.dataset.group) === group);
    }
    outlines();
    tellMarked();
    for (const name of document.querySelectorAll("[data-task]")) {
      name.classList.toggle("marked", Number(name.dataset.task) === state.marked);
    }
    $("said").textContent = state.marked === null ? "No task is marked." : `${data.tasks[state.marked]} is marked.`;
  }

  // ---- the table behind the map --------------------------------------------------------------

  function tabulate() {
    const map = state.map, all = map.count <= DRAWN, many = all ? map.count : ROWS;
    if (!all && !$("numbers").open) return $("table").replaceChildren();
    const places = state.places.slice(state.first, state.first + many);
    const head = element("tr", {}, element("th", { scope: "col" }, "source"));
    for (const target of state.places) {
      head.append(element("th", { scope: "col", class: "number", "data-task": map.tasks[target] }, data.tasks[map.tasks[target]]));
    }
    const body = element("tbody");
    for (const source of places) {
      const row = element("tr", { "data-tasks": map.tasks[source] }, element("th", { scope: "row" }, button(map.tasks[source])));
      for (const target of state.places) {
        const cell = source * map.count + target, bits = markOf(map, cell), text = signed(map, map.value(cell));
        const signs = MARKS.filter(([bit]) => bits & bit).map(([, , sign]) => sign).join("");
        row.append(element("td", { class: "number", "data-task": map.tasks[target] }, (bits & 8 ? `(${text})` : text) + signs));
      }
      row.classList.toggle("marked", map.tasks[source] === state.marked);
      body.append(row);
    }
    const signs = MARKS.filter(([, , sign]) => sign).map(([, words, sign]) => `${sign} ${words}`).join("; ");
    const caption = `${map.name}: ${map.quantity}; row = source, column = target. ${signs}; in brackets: predicted.`;
    $("table").replaceChildren(element("table", {}, element("caption", { class: "unseen" }, caption), element("thead", {}, head), body));
    const pages = document.querySelector(".pages");
    pages.hidden = all;
    $("which").textContent = `sources ${state.first + 1}${DASH}${state.first + places.length} of ${map.count}`;
    $("before").disabled = state.first === 0;
    $("after").disabled = state.first + many >= map.count;
    for (const name of $("table").querySelectorAll("[data-task]")) name.classList.toggle("marked", Number(name.dataset.task) === state.marked);
  }

  // ---- switches ------------------------------------------------------------------------------

  function radios(field, names, chosen, change) {
    field.querySelectorAll("label").forEach((label) => label.remove());
    field.hidden = names.length < 2;
    names.forEach(([value, name]) => {
      const input = element("input", { type: "radio", name: field.id, value });
      input.checked = value === chosen;
      input.addEventListener("change", () => change(value));
      field.append(element("label", {}, input, element("span", {}, name)));
    });
  }

  function show(map, wanted) {
    const names = Object.keys(map.orders);
    state.map = map;
    state.order = names.includes(wanted) ? wanted : names[0];
    state.places = map.orders[state.order].places;
    state.sizes = map.orders[state.order].sizes;
    state.at = state.over = null;
    state.first = 0;
    radios($("orders"), names.map((name) => [name, ORDERS[name]]), state.order, (order) => show(state.map, order));
    draw();
    outlines();
    tell();
    tellMarked();
    tabulate();
  }

  // ---- pointer and keys ----------------------------------------------------------------------

  function placeOf(event) {
    const box = drawn.svg.getBoundingClientRect(), scale = drawn.svg.viewBox.baseVal.width / box.width;
    const inside = (at, start) => {
      const place = Math.floor(((at * scale) - start) / drawn.side);
      return place >= 0 && place < drawn.count ? place : null;
    };
    return { column: inside(event.clientX - box.left, drawn.left), row: inside(event.clientY - box.top, drawn.top) };
  }

  $("map").addEventListener("pointermove", (event) => {
    const { row, column } = placeOf(event);
    const over = row === null || column === null ? null : { row, column };
    if (over && state.over && over.row === state.over.row && over.column === state.over.column) return;
    if (!over && !state.over) return;
    state.over = over;
    outlines();
    tell();
  });
  $("map").addEventListener("pointerleave", () => {
    state.over = null;
    outlines();
    tell();
  });
  $("map").addEventListener("click", (event) => {
    const { row, column } = placeOf(event);
    if (row !== null && column !== null) {
      state.at = { row, column };
      outlines();
      $("said").textContent = tell();
    } else if (row !== null || column !== null) {
      mark(taskAt(row === null ? column : row));
    }
  });
  $("map").addEventListener("focus", () => {
    if (state.at || !$("map").matches(":focus-visible")) return;
    state.at = { row: 0, column: Math.min(1, drawn.count - 1) };
    outlines();
    $("said").textContent = tell();
  });
  $("map").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const at = state.at || { row: 0, column: 0 }, last = drawn.count - 1;
    const moves = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
      Home: [0, -last], End: [0, last], PageUp: [-10, 0], PageDown: [10, 0],
    };
    const within = (place) => Math.max(0, Math.min(last, place));
    if (event.key in moves) {
      const [rows, columns] = moves[event.key];
      state.at = { row: within(at.row + rows), column: within(at.column + columns) };
      state.over = null;
      outlines();
      $("said").textContent = tell();
    } else if (event.key === "Enter") {
      mark(taskAt(event.shiftKey ? at.column : at.row));
    } else if (event.key === "Escape" && state.marked !== null) {
      mark(state.marked);
    } else {
      return;
    }
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const name = event.target instanceof Element && event.target.closest("button.task");
    if (name) mark(Number(name.dataset.task));
  });
  $("unmark").addEventListener("click", () => mark(state.marked));
  $("find").addEventListener("change", () => {
    const wanted = $("find").value.trim().toLowerCase();
    const task = data.tasks.findIndex((name) => name.toLowerCase() === wanted);
    if (task >= 0 && task !== state.marked) mark(task);
    $("find").setAttribute("aria-invalid", String(Boolean(wanted) && task < 0));
  });
  $("numbers").addEventListener("toggle", tabulate);
  for (const [id, step] of [["before", -ROWS], ["after", ROWS]]) {
    $(id).addEventListener("click", () => {
      state.first += step;
      tabulate();
    });
  }
  const THEMES = [["", "as the system"], ["light", "light"], ["dark", "dark"]];
  let theme = 0;
  $("theme").addEventListener("click", () => {
    theme = (theme + 1) % THEMES.length;
    document.documentElement.dataset.theme = THEMES[theme][0];
    $("theme").textContent = `Theme: ${THEMES[theme][1]}`;
  });

  radios($("measures"), data.maps.map((map, number) => [String(number), map.name]), "0", (number) => show(data.maps[number], state.order));
  for (const task of data.tasks) $("names").append(element("option", { value: task }));
  for (const hidden of document.querySelectorAll(".tools, .switches, #numbers")) hidden.hidden = false;
  show(state.map, "clusters");
  document.documentElement.dataset.ready = String(performance.now());
})();
