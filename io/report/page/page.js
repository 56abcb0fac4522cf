"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const n = data.ids.length;
  const svgSpace = "http://www.w3.org/2000/svg";
  root.classList.add("script");

  const make = (tag, words, attributes = {}) => {
    const element = document.createElement(tag);
    if (words !== undefined) element.textContent = words;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  // Numbers of pairs, one byte each: unpacked when somebody first asks.
  const packed = {};
  const bytesOf = (name) => {
    if (!packed[name]) packed[name] = Uint8Array.from(atob(data[name]), (c) => c.charCodeAt(0));
    return packed[name];
  };
  const place = (i, j) => (i < j ? i * n - (i * (i + 1)) / 2 + j - i - 1 : place(j, i));
  const shareOf = (name, i, j) => {
    const byte = bytesOf(name)[place(i, j)] ?? 255;
    return byte > 250 ? null : byte / 250;
  };
  const relationOf = (i, j) => data.relations[bytesOf("relation")[place(i, j)]] || "not compared";
  const about = (share) => (share === null ? "not known" : share.toFixed(2));

  const readingOf = (i, j) => {
    if (i === j) return `${data.ids[i]} with itself`;
    const percentile = shareOf("percentile", i, j);
    return `${data.ids[i]} and ${data.ids[j]}: ${relationOf(i, j)}, neurons agreeing ${about(shareOf("share", i, j))}, ` +
      `curve score above ${percentile === null ? "an unknown share" : (100 * percentile).toFixed(0) + " %"} of unrelated pairs`;
  };

  // What is pointed at is said in a corner that stays where it is.
  const corner = byId("corner");
  const say = (words) => {
    corner.hidden = !words;
    corner.textContent = words || "";
  };

  // The fragment keeps what was chosen: #a=17&b=4&theme=dark. Anything else is a place on the page.
  const stateOf = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  const go = (changes) => {
    const state = stateOf();
    for (const [key, value] of Object.entries(changes)) state.set(key, value);
    goTo("#" + state.toString());
  };
  // What is chosen once more is shown once more, though the fragment stays as it was.
  const goTo = (hash) => {
    if (location.hash === hash) showState();
    else location.hash = hash;
  };
  const modelIn = (state, key) => {
    const value = Number.parseInt(state.get(key) ?? "", 10);
    return value >= 0 && value < n ? value : null;
  };

  const showTheme = () => {
    const theme = stateOf().get("theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  };
  byId("theme").addEventListener("click", () => {
    const dark = root.dataset.theme === "dark" ||
      (root.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
    const state = stateOf();
    state.set("theme", root.dataset.theme);
    history.replaceState(null, "", "#" + state.toString());
  });

  // Tables: a heading sorts, numbers as numbers, what is missing last.
  const keyOf = (cell) => {
    const text = cell.dataset.sort ?? cell.textContent.trim();
    const number = Number(text);
    return text === "" ? null : Number.isNaN(number) ? text.toLowerCase() : number;
  };
  const compare = (x, y) => (typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1);
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = make("button", heading.textContent, { type: "button" });
      heading.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = heading.getAttribute("aria-sort") !== "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows].map((row) => [keyOf(row.cells[column]), row]);
        rows.sort(([x], [y]) => (x === null || y === null ? (x === null) - (y === null) : up ? compare(x, y) : compare(y, x)));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }

  const filter = byId("filter"), filterRelation = byId("filter-relation");
  const verdictRows = [...byId("verdicts").tBodies[0].rows];
  const wordsOfRow = new Map(verdictRows.map((row) => [row, row.textContent.toLowerCase()]));
  const applyFilter = () => {
    const words = filter.value.trim().toLowerCase();
    let shown = 0;
    for (const row of verdictRows) {
      row.hidden = !(wordsOfRow.get(row).includes(words) && (!filterRelation.value || row.dataset.relation === filterRelation.value));
      shown += row.hidden ? 0 : 1;
    }
    byId("filter-count").textContent = shown === verdictRows.length ? "" : `${shown} of ${verdictRows.length} models`;
  };
  filter.addEventListener("input", applyFilter);
  filterRelation.addEventListener("change", applyFilter);
  for (const row of verdictRows)
    row.addEventListener("click", (event) => {
      const link = row.querySelector("a.pair-link");
      if (link && !event.target.closest("a")) goTo(link.hash);
    });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.pair-link");
    if (link && link.hash === location.hash) showState();
  });

  // One pair: its dossier where there is one, else the numbers that the page holds of every pair.
  const chooseA = byId("choose-a"), chooseB = byId("choose-b");
  const dossiers = new Map([...document.querySelectorAll(".dossier")].map((d) => [`${d.dataset.a},${d.dataset.b}`, d]));
  let numbers = null;
  const numbersOf = (a, b) => {
    if (!data.numbers) return null;
    numbers ??= new Map(data.numbers.map((row) => [row[0] * n + row[1], row]));
    return numbers.get(a * n + b) ?? null;
  };
  const drawChosen = (a, b) => {
    for (const panel of document.querySelectorAll("[data-panel]")) {
      const group = panel.querySelector("g.chosen");
      group.replaceChildren();
      for (const [model, side] of [[a, "a"], [b, "b"]]) {
        const line = panel.querySelector(`.line[data-m="${model}"]`);
        const path = line?.getAttribute("d") ?? data.lines[panel.dataset.panel]?.[model];
        if (!path) continue;
        const copy = document.createElementNS(svgSpace, "path");
        copy.setAttribute("d", path);
        copy.setAttribute("class", `line ${side} ${side === "a" ? "k0" : "k1"}`);
        group.append(copy);
      }
      group.ownerSVGElement.classList.toggle("picked", group.childElementCount > 0);
    }
  };
  const panel = byId("pair");
  const clear = () => {
    for (const dossier of dossiers.values()) dossier.classList.remove("open");
    for (const row of verdictRows) row.classList.remove("chosen");
    panel.replaceChildren();
    chooseA.value = chooseB.value = "";
    drawChosen(-1, -1);
  };
  const showPair = (a, b) => {
    if (a > b) [a, b] = [b, a];
    clear();
    chooseA.value = data.ids[a];
    chooseB.value = data.ids[b];
    drawChosen(a, b);
    for (const row of verdictRows) row.classList.toggle("chosen", row.dataset.model === String(a) || row.dataset.model === String(b));
    const dossier = dossiers.get(`${a},${b}`);
    if (dossier) {
      dossier.classList.add("open");
      return;
    }
    panel.append(make("h3", `${data.ids[a]} and ${data.ids[b]}`));
    const list = make("dl", undefined, { class: "numbers-of-pair" });
    const put = (name, value) => list.append(make("dt", name), make("dd", value ?? "not known"));
    put("Class", a === b ? "one model" : relationOf(a, b));
    if (a !== b) {
      const row = numbersOf(a, b), percentile = shareOf("percentile", a, b);
      put("Neurons that agree", about(shareOf("share", a, b)));
      if (row) {
        put("log10 p, corrected", row[2] === null ? null : String(row[2]));
        put("Curve score, and its twin", `${row[3] ?? "not known"}, ${row[4] ?? "not known"}`);
        put("tensorguard, and random weights", `${row[5] ?? "not known"}, ${row[6] ?? "not known"}`);
      }
      put("Curve score above", percentile === null ? null : `${(100 * percentile).toFixed(0)} % of unrelated pairs`);
    }
    panel.append(list, make("p", "All tests of this pair: stemma report ARCHIVE --pair A B, with these two ids.", { class: "note" }));
  };
  const showFirst = () => {
    clear();
    dossiers.values().next().value?.classList.add("open");
  };
  const showState = () => {
    showTheme();
    const state = stateOf(), a = modelIn(state, "a"), b = modelIn(state, "b");
    if (a !== null && b !== null) {
      showPair(a, b);
      byId("pairs").scrollIntoView();
    } else if (!location.hash) {
      showFirst();
    }
  };
  const fromBoxes = () => {
    const a = data.ids.indexOf(chooseA.value), b = data.ids.indexOf(chooseB.value);
    if (a >= 0 && b >= 0) go({ a, b });
  };
  for (const box of [chooseA, chooseB]) {
    box.addEventListener("focus", () => {
      const list = byId("ids");
      if (!list.childElementCount) list.append(...data.ids.map((id, m) => make("option", data.labels[m], { value: id })));
    }, { once: true });
    box.addEventListener("change", fromBoxes);
  }
  window.addEventListener("hashchange", showState);

  // The heatmap: pointer and arrow keys choose a cell, a click or Enter opens the pair.
  const box = byId("heatmap-box"), cursor = byId("heatmap-cursor"), reading = byId("heatmap-reading");
  if (box && cursor) {
    const left = Number(cursor.dataset.left), top = Number(cursor.dataset.top), side = Number(cursor.dataset.side);
    const svg = cursor.ownerSVGElement, cell = side / n;
    let row = 0, column = Math.min(1, n - 1);
    const cellAt = (event) => {
      const frame = svg.getBoundingClientRect();
      const c = Math.floor((event.clientX - frame.left - left) / cell), r = Math.floor((event.clientY - frame.top - top) / cell);
      return r >= 0 && c >= 0 && r < n && c < n ? [r, c] : null;
    };
    const moveTo = (r, c) => {
      [row, column] = [r, c];
      const size = Math.max(cell, 5);
      cursor.setAttribute("x", left + c * cell - (size - cell) / 2);
      cursor.setAttribute("y", top + r * cell - (size - cell) / 2);
      cursor.setAttribute("width", size);
      cursor.setAttribute("height", size);
      return readingOf(data.order[r], data.order[c]);
    };
    const open = () => {
      if (row !== column) go({ a: data.order[row], b: data.order[column] });
    };
    box.addEventListener("pointermove", (event) => {
      const at = cellAt(event);
      cursor.classList.toggle("on", at !== null);
      say(at ? moveTo(...at) : "");
    });
    box.addEventListener("pointerleave", () => {
      cursor.classList.remove("on");
      say("");
    });
    box.addEventListener("click", (event) => {
      const at = cellAt(event);
      if (!at) return;
      moveTo(...at);
      if (n > 60) showWindow(row, column);
      else open();
    });
    box.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      const step = steps[event.key];
      if (step && event.target === box) {
        reading.textContent = moveTo(Math.min(n - 1, Math.max(0, row + step[0])), Math.min(n - 1, Math.max(0, column + step[1])));
        event.preventDefault();
      } else if (event.key === "Enter" && event.target === box) {
        open();
      }
    });
  }

  // Of many models a click shows the cells around it, large enough to be told apart.
  const cividis = (share) => {
    const dark = [0, 34, 78], middle = [124, 123, 120], bright = [254, 232, 56];
    const [x, y, t] = share < 0.5 ? [dark, middle, share * 2] : [middle, bright, share * 2 - 1];
    return `rgb(${x.map((v, k) => Math.round(v + (y[k] - v) * t)).join(",")})`;
  };
  const showWindow = (row, column) => {
    const most = Math.min(40, n), cell = 16, gap = 190;
    const first = (at) => Math.max(0, Math.min(n - most, at - most / 2));
    const top = first(row), left = first(column);
    const svg = document.createElementNS(svgSpace, "svg");
    const put = (tag, attributes, words) => {
      const element = document.createElementNS(svgSpace, tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      if (words !== undefined) element.textContent = words;
      svg.append(element);
      return element;
    };
    svg.setAttribute("width", gap + most * cell + 4);
    svg.setAttribute("height", most * cell + 4);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `Pairs around ${data.ids[data.order[row]]} and ${data.ids[data.order[column]]}`);
    for (let r = 0; r < most; ++r) {
      const i = data.order[top + r], id = data.ids[i];
      put("text", { x: gap - 6, y: r * cell + 12, "text-anchor": "end", class: "name" }, id.length > 26 ? id.slice(0, 25) + "\u2026" : id);
      for (let c = 0; c < most; ++c) {
        const j = data.order[left + c];
        const share = i === j ? null : shareOf(top + r < left + c ? "share" : "percentile", i, j);
        const rect = put("rect", { x: gap + c * cell, y: r * cell, width: cell - 1, height: cell - 1 });
        rect.setAttribute("fill", i === j ? "#5a5a5a" : share === null ? "#b06c9c" : cividis(share));
        rect.addEventListener("pointermove", () => say(readingOf(i, j)));
        rect.addEventListener("click", () => i !== j && go({ a: i, b: j }));
      }
    }
    byId("heatmap-window").replaceChildren(make("p", "A click on a cell opens its pair.", { class: "note" }), svg);
  };

  // Curves say whose they are.
  document.addEventListener("pointerover", (event) => {
    const line = event.target.closest?.(".line[data-m]");
    if (line) say(data.ids[Number(line.dataset.m)]);
    else if (!event.target.closest?.("#heatmap-box, #heatmap-window")) say("");
  });

  // Every drawing can be kept as a file of its own.
  const styled = (svg) => {
    const copy = svg.cloneNode(true);
    const originals = [svg, ...svg.querySelectorAll("*")], copies = [copy, ...copy.querySelectorAll("*")];
    originals.forEach((element, k) => {
      const style = getComputedStyle(element);
      for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-opacity", "fill-rule", "font-size", "font-family", "font-weight", "visibility"])
        copies[k].setAttribute(name, style.getPropertyValue(name));
      copies[k].removeAttribute("class");
    });
    copy.setAttribute("xmlns", svgSpace);
    return new XMLSerializer().serializeToString(copy);
  };
  document.querySelectorAll(".figure > svg, figure > svg").forEach((svg, k) => {
    const button = make("button", "SVG", { type: "button", class: "save", title: "Keep this drawing as a file" });
    button.addEventListener("click", () => {
      const link = make("a", "", { href: URL.createObjectURL(new Blob([styled(svg)], { type: "image/svg+xml" })), download: `stemma-${k + 1}.svg` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);  // some browsers read it later
    });
    svg.after(button);
  });

  showFirst();
  showState();
  root.dataset.ready = "true";
})();
