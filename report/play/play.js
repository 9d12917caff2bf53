// The page around the model: what is typed and chosen, and what the worker answers. All text is set as text.
(() => {
  "use strict";
  const MOST_LETTERS = 20_000; // of a beginning
  const MOST_BITS = 16; // of a full bar
  const $ = id => document.getElementById(id);
  const facts = JSON.parse($("facts").textContent);
  const { boundary } = facts.tokenizer, { context } = facts.shape;

  // ---- The worker ----

  const source = new Blob([$("worker").textContent], { type: "text/javascript" });
  const worker = new Worker(URL.createObjectURL(source)), waiting = new Map();
  let asked = 0;
  const ask = (ask, message) => new Promise((resolve, reject) => {
    waiting.set(++asked, { resolve, reject });
    worker.postMessage({ id: asked, ask, ...message });
  });
  worker.onmessage = ({ data: { id, answer, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    error === undefined ? resolve(answer) : reject(new Error(error));
  };
  worker.onerror = event => fail(event.message);
  const tell = text => { $("said").textContent = text; };
  const fail = error => tell(say("The model can't run in this browser: {error}", { error: error.message ?? error }));

  const safely = action => (...given) => action(...given).catch(fail);

  // ---- Tokens as text ----

  const alphabet = new Map([...facts.tokenizer.alphabet].map((character, byte) => [character, byte]));
  const bytesOf = token => token === boundary ? []
    : Array.from(facts.tokenizer.vocabulary[token] ?? "", character => alphabet.get(character));
  const textOf = tokens => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(tokens.flatMap(bytesOf)));
  const whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const hex = number => number.toString(16).toUpperCase();
  // A token's text, in which everything can be seen; the bytes of a part of a letter.
  const seen = (token, space = "␣", line = "↵") => {
    if (token === boundary) return say("end of the text");
    try {
      return whole.decode(Uint8Array.from(bytesOf(token))).replaceAll(" ", space).replaceAll("\n", line)
        .replace(/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu, character => character === " " || character === line
          ? character : `‹U+${hex(character.codePointAt(0)).padStart(4, "0")}›`);
    } catch {
      return `‹${bytesOf(token).map(byte => hex(byte).padStart(2, "0")).join(" ")}›`;
    }
  };
  const spoken = token => seen(token, ` ${say("space")} `, ` ${say("new line")} `).trim();
  const number = (value, digits = 1) => value.toLocaleString(
    document.documentElement.lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const percent = share => share >= 0.00005 || share === 0 ? `${number(share * 100, 2)} %`
    : say("below {percent} %", { percent: number(0.01, 2) });
  const make = (name, text, properties = {}) => Object.assign(document.createElement(name), { textContent: text }, properties);

  // ---- What is on the page ----

  let tokens = [boundary], costs = [0]; // the text, after the boundary that begins every text
  let typed = 1; // how many of the tokens were typed, with the boundary
  let place = 1; // of the token whose alternatives are shown; after the last one: what follows
  let ready = false, writing = false, stopped = false, turn = 0; // an answer to an earlier turn is not used
  let reading = false; // the text, or a checkpoint: until then the costs are of another one
  const ended = () => tokens.length > 1 && tokens.at(-1) === boundary;
  const full = () => tokens.length >= context;
  const checkpoint = () => Number(document.querySelector("#checkpoints :checked").value);
  const settings = () => Object.fromEntries(Object.keys(facts.settings).map(key => [key, Number($(key).value)]));

  const asLongAsItReads = () => say("The text is as long as the model can read: {most} tokens.",
    { most: number(context - 1, 0) });

  const showText = () => {
    const before = textOf(tokens.slice(0, typed)), all = textOf(tokens);
    // A letter may be spelled by typed and written tokens; then all of it was written.
    const same = all.startsWith(before) ? before : before.replace(/\ufffd+$/u, "");
    // No bdi: what is in one doesn't decide the direction of the text, nor of the list of its tokens.
    $("text").replaceChildren(make("span", same), make("span", all.slice(same.length), { className: "written" }));
    $("tokens").dir = getComputedStyle($("text")).direction;
  };
  const tokenButton = at => {
    const item = make("li", ""), button = make("button", "", { type: "button" });
    if (at < tokens.length) {
      const { typed: was, bits } = { typed: at < typed, bits: number(costs[at]) };
      button.append(make("bdi", seen(tokens[at])), make("small", bits));
      button.classList.toggle("typed", was);
      button.style.setProperty("--share", Math.min(costs[at] / MOST_BITS, 1));
      const words = say(was ? "{token}, {bits} bits, typed" : "{token}, {bits} bits, written",
        { token: spoken(tokens[at]), bits });
      button.setAttribute("aria-label", words);
    } else {
      button.append(make("bdi", "…"), make("small", say("next")));
      button.setAttribute("aria-label", say("What could follow"));
    }
    button.addEventListener("click", safely(() => choose(at)));
    item.append(button);
    return item;
  };
  const showTokens = () => {
    const list = $("tokens"), open = !ended() && !full();
    list.replaceChildren(...Array.from({ length: tokens.length - 1 + open }, (_, at) => tokenButton(at + 1)));
    place = Math.min(place, tokens.length - 1 + open);
    mark();
  };
  const mark = () => [...$("tokens").children].forEach((item, at) => {
    item.firstChild.setAttribute("aria-pressed", at + 1 === place);
    item.firstChild.tabIndex = at + 1 === place ? 0 : -1;
  });
  const showButtons = () => {
    const rests = ready && !writing && !reading, can = rests && !ended() && !full();
    $("write").disabled = $("one").disabled = !can;
    $("stop").disabled = !writing;
    $("again").disabled = !rests || tokens.length === typed;
  };
  const read = () => {
    writing = false;
    reading = true;
    showButtons();
    return ++turn;
  };

  const showAlternatives = async () => {
    const now = ++turn, at = place, there = tokens[at];
    if (at < 1) return; // the whole context is read, and nothing was typed
    const { rows, possible } = await ask("alternatives", {
      percent: checkpoint(), tokens: tokens.slice(0, at), settings: settings(), token: there,
    });
    if (now !== turn) return;
    $("place").textContent = say(there === undefined ? "What could follow" : "What could be in its place");
    $("possible").textContent = say("With these settings {possible} of {all} tokens can be drawn here.",
      { possible: number(possible, 0), all: number(facts.shape.vocabulary, 0) });
    $("alternatives").replaceChildren(...rows.map(row => alternative(row, there, at)));
  };
  const alternative = ({ token, rank, bits, chance, allowed }, there, at) => {
    const row = make("tr", ""), cell = text => row.appendChild(make("td", text));
    row.classList.toggle("here", token === there);
    cell(number(rank, 0));
    const name = cell("");
    name.lang = facts.language;
    name.append(make("bdi", seen(token)));
    cell(percent(2 ** -bits));
    cell(number(bits));
    cell(allowed ? percent(chance) : say("none: it would break a letter"));
    const use = cell("");
    if (token === there) use.textContent = say("✓ it is here");
    else if (allowed && !writing) {
      const button = make("button", say("Use it"), { type: "button" });
      button.setAttribute("aria-label", say("Use {token}", { token: spoken(token) }));
      button.addEventListener("click", safely(() => replace(at, token)));
      use.append(button);
    }
    return row;
  };

  // ---- What the reader does ----

  // Reads the text anew, from the first token that the model doesn't know yet.
  const refresh = async () => {
    const now = read();
    tell(""); // what was said of another text
    const answer = await ask("costs", { percent: checkpoint(), tokens });
    if (now !== turn) return;
    costs = answer;
    reading = false;
    showText();
    showTokens();
    showButtons();
    await showAlternatives();
  };
  const begin = async () => {
    const now = read(), text = $("beginning").value;
    const tooLong = text.length > MOST_LETTERS;
    const [found] = tooLong ? [[]] : await ask("encode", { texts: [text] });
    if (now !== turn) return;
    const room = context - 1;
    $("count").textContent = tooLong ? say("More than {most} letters; shorten it.", { most: number(MOST_LETTERS, 0) })
      : say(found.length > room ? "Tokens: {count}; the model reads at most {most}: shorten the beginning."
        : "Tokens: {count}; the model reads at most {most}.", { count: number(found.length, 0), most: number(room, 0) });
    $("beginning").setAttribute("aria-invalid", tooLong || found.length > room);
    if (!tooLong && found.length <= room) {
      tokens = [boundary, ...found];
      typed = place = tokens.length;
    }
    await refresh();
    if (full() && !reading) tell(asLongAsItReads());
  };
  const choose = async at => {
    if (writing || reading) return;
    place = at;
    mark();
    await showAlternatives();
  };
  const replace = async (at, token) => {
    if (writing || reading) return;
    tokens = [...tokens.slice(0, at), token];
    if (at < typed) {
      typed = at;
      $("beginning").value = textOf(tokens.slice(0, at)).replace(/\ufffd+$/u, "");
    }
    place = tokens.length;
    await refresh();
    $("tokens").lastChild.firstChild.focus();
  };
  const write = async most => {
    const first = tokens.length;
    writing = true;
    stopped = false;
    showButtons();
    const now = ++turn;
    for (let count = 0; count < most && !stopped && !ended() && !full(); count++) {
      const { token, bits } = await ask("next", { percent: checkpoint(), tokens, settings: settings() });
      if (now !== turn) return;
      tokens.push(token);
      costs.push(bits);
      showText();
      $("tokens").lastChild.before(tokenButton(tokens.length - 1));
    }
    writing = false;
    place = tokens.length;
    showTokens();
    showButtons();
    const count = tokens.length - first, mean = costs.slice(first).reduce((sum, bits) => sum + bits, 0) / count;
    const written = say(count === 1 ? "1 token was written, of {bits} bits on average."
      : "{count} tokens were written, of {bits} bits on average.", { count: number(count, 0), bits: number(mean) });
    tell(`${written} ` + (ended() ? say("The model ended the text.")
      : full() ? asLongAsItReads() : ""));
    await showAlternatives();
  };
  const stop = () => { stopped = true; }; // after the token that is being drawn
  const load = async percent => {
    const data = $(`weights-${percent}`);
    if (data) {
      await ask("weights", { percent, base64: data.textContent.trim() });
      data.remove();
    }
  };
  const step = async () => {
    read();
    await load(checkpoint());
    await refresh();
    if (reading || tokens.length === 1) return; // another text, or none
    const mean = costs.slice(1).reduce((sum, bits) => sum + bits, 0) / (tokens.length - 1);
    tell(say("At {percent} % of training the text costs {bits} bits a token.",
      { percent: checkpoint(), bits: number(mean) }));
  };

  const keys = event => {
    const buttons = [...$("tokens").querySelectorAll("button")], at = buttons.indexOf(event.target);
    const forward = getComputedStyle($("tokens")).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const to = { Home: 0, End: buttons.length - 1 }[event.key] ?? (/^Arrow(Left|Right)$/.test(event.key)
      ? Math.max(0, Math.min(buttons.length - 1, at + (event.key === forward ? 1 : -1))) : undefined);
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    buttons[to].focus();
    choose(to + 1).catch(fail);
  };
  const shown = { topK: value => value === 0 ? say("all") : number(value, 0) };
  const showSetting = key => {
    document.querySelector(`output[for="${key}"]`).textContent = (shown[key] ?? (value => number(value, 2)))(Number($(key).value));
  };

  facts.checkpoints.forEach(({ percent, step }) => {
    const label = make("label", "");
    label.append(make("input", "", { type: "radio", name: "percent", value: percent, checked: percent === 100 }),
      ` ${say("{percent} %, {steps} steps", { percent, steps: number(step, 0) })}`);
    $("checkpoints").append(label);
  });
  $("topK").max = facts.shape.vocabulary;
  for (const [key, wanted] of Object.entries(facts.settings)) {
    const value = Math.min(wanted, $(key).max); // a form with a number above its limit is not sent
    $(key).value = value;
    showSetting(key);
    $(key).addEventListener("input", safely(async () => {
      if (!$(key).checkValidity()) $(key).value = value;
      showSetting(key);
      if (ready && !writing && !reading) await showAlternatives();
    }));
  }
  let typing;
  $("beginning").value ||= facts.beginning; // somebody may have typed while the page was being loaded
  $("beginning").addEventListener("input", () => {
    clearTimeout(typing);
    read();
    typing = setTimeout(safely(begin), 150);
  });
  $("checkpoints").addEventListener("change", safely(step));
  $("form").addEventListener("submit", event => {
    event.preventDefault();
    safely(write)(Infinity);
  });
  $("one").addEventListener("click", safely(() => write(1)));
  $("stop").addEventListener("click", stop);
  $("again").addEventListener("click", safely(async () => {
    tokens.length = typed;
    place = typed;
    await refresh();
  }));
  $("tokens").addEventListener("keydown", keys);

  safely(async () => {
    await ask("open", { facts });
    await load(100);
    ready = true;
    await begin();
    tell(say("The model is ready."));
  })();
})();
