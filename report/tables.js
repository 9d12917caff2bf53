// Tables that a reader can sort by their headings and, where they are long, filter. Without this they are plain tables.
(() => {
  "use strict";
  const SHORTEST_SORTED = 3, SHORTEST_FILTERED = 10; // rows
  const { group, decimal } = Object.fromEntries(
    new Intl.NumberFormat(document.documentElement.lang || "en").formatToParts(12345.6).map(part => [part.type, part.value]));
  const NUMBER = new RegExp(
    `^(?:${say("below")}|${say("less than")})?\\s*([-+−]?\\d[\\d${group}]*(?:[${decimal}]\\d+)?(?:e[-+]?\\d+)?)`, "u");
  const MISSING = /^[\s–-]*$/;
  const words = new Intl.Collator(document.documentElement.lang || undefined, { numeric: true });

  // The library puts last in rising order what its comparison puts first. Equal rows keep their order.
  Tablesort.extend("number", () => false, (a, b) => value(b) > value(a) ? 1 : value(b) < value(a) ? -1 : 0);
  Tablesort.extend("words", () => true, (a, b) => words.compare(b.trim(), a.trim()));
  const plain = number => number.replaceAll(group, "").replace(decimal, ".").replace("−", "-");
  const value = text => text === "" ? -Infinity : Number(text);

  // The text of a cell before its first line break: a value, whose interval is below it in small print.
  const firstLine = cell => {
    const nodes = [...cell.childNodes];
    const end = nodes.findIndex(node => node.nodeName === "BR");
    return nodes.slice(0, end < 0 ? nodes.length : end).map(node => node.textContent).join("").trim();
  };

  const describeColumn = (heading, cells) => {
    const lines = cells.map(firstLine);
    const numbers = lines.filter(line => !MISSING.test(line)).map(line => NUMBER.exec(line));
    const numeric = numbers.length > 0 && numbers.every(Boolean);
    heading.dataset.sortMethod = numeric ? "number" : "words";
    if (numeric) {
      cells.forEach((cell, place) => {
        const found = NUMBER.exec(lines[place]);
        cell.dataset.sort = found ? plain(found[1]) : "";
      });
    }
  };

  const makeSortable = (table, headings, rows) => {
    headings.forEach((heading, column) => {
      if (heading.textContent.trim() === "") {
        heading.dataset.sortMethod = "none";
        return;
      }
      describeColumn(heading, rows.map(row => row.cells[column]));
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
    });
    new Tablesort(table);
    // The buttons take the keyboard, and their clicks reach the headings.
    headings.forEach(heading => heading.removeAttribute("tabindex"));
    makeOneStop(table.tHead);
  };

  // The Tab key reaches the buttons of a table as one; arrows, Home and End move between them.
  const makeOneStop = head => {
    const buttons = [...head.querySelectorAll("button")], last = buttons.length - 1;
    const stop = chosen => buttons.forEach(button => { button.tabIndex = button === chosen ? 0 : -1; });
    buttons.forEach(button => { button.title = say("Sort; arrow keys move to other columns"); });
    stop(buttons[0]);
    head.addEventListener("focusin", event => stop(event.target));
    head.addEventListener("keydown", event => {
      const here = buttons.indexOf(event.target);
      const step = getComputedStyle(head).direction === "rtl" ? -1 : 1;
      const to = { ArrowRight: here + step, ArrowLeft: here - step, Home: 0, End: last }[event.key];
      if (!buttons[to]) return;
      event.preventDefault();
      buttons[to].focus();
    });
  };

  const fold = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  const makeFilter = (table, rows) => {
    const tools = document.createElement("div"), label = document.createElement("label");
    const input = document.createElement("input"), status = document.createElement("span");
    const caption = table.closest("figure")?.querySelector("figcaption")?.textContent.trim() ?? "";
    tools.className = "table-tools";
    input.type = "search";
    const number = /^\p{L}+\s\d+/u.exec(caption)?.[0];
    input.setAttribute("aria-label", number ? say("Filter rows of {table}", { table: number }) : say("Filter rows"));
    status.setAttribute("role", "status");
    label.append(`${say("Filter rows")} `, input);
    tools.append(label, status);
    let contents;
    input.addEventListener("input", () => {
      contents ??= rows.map(row => fold(row.textContent));
      const wanted = fold(input.value).split(/\s+/).filter(Boolean);
      rows.forEach((row, place) => { row.hidden = !wanted.every(word => contents[place].includes(word)); });
      const shown = rows.filter(row => !row.hidden).length;
      status.textContent = wanted.length ? say("{shown} of {all} rows", { shown, all: rows.length }) : "";
    });
    (table.closest(".scroll") ?? table).before(tools);
  };

  // What fits its frame needs no stop to scroll it.
  const reach = new ResizeObserver(entries => entries.forEach(({ target }) => {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }));
  document.querySelectorAll(".scroll, .cell-output-display, pre").forEach(element => reach.observe(element));

  for (const table of document.querySelectorAll("table")) {
    const headings = [...(table.tHead?.rows[0]?.cells ?? [])];
    const body = [...(table.tBodies[0]?.rows ?? [])];
    const whole = [...table.rows].every(row => row.cells.length === headings.length);
    const merged = [...table.querySelectorAll("td, th")].some(cell => cell.colSpan > 1 || cell.rowSpan > 1);
    // The row of all things together stays where it is.
    const total = body.filter(row => row.cells[0]?.querySelector(":scope > strong"));
    total.forEach(row => { row.dataset.sortMethod = "none"; });
    const rows = body.filter(row => !total.includes(row));
    if (!headings.length || table.tHead.rows.length > 1 || !whole || merged || rows.length < SHORTEST_SORTED) continue;
    makeSortable(table, headings, rows);
    if (rows.length >= SHORTEST_FILTERED) makeFilter(table, rows);
  }
})();
