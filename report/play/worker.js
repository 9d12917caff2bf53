// The model: a tokenizer, the forward pass of a GPT-2 with a cache of keys and values, and the draw of the next token.
// It runs in a worker of play.js, which asks, and it answers one message after the other.
"use strict";

const LN2 = Math.log(2);
const WHOLE = 0, IMPOSSIBLE = 8, LONGEST_WAY = 3; // as in samizdat/samples/letters.py
const ALTERNATIVES = 10;
let facts, spelled, pattern, tokenOfByte, merged, after, ways; // of the tokenizer
const checkpoints = new Map(); // percent → its matrices and vectors
let model, shape, keys, values, work, logits;
let read = [], bits = [0], logitsAfter = 0; // the tokens in the cache, what each cost, and how many the logits follow

// ---- The tokenizer: byte-level BPE ----

const utf8 = new TextEncoder();

function openTokenizer({ alphabet, vocabulary, merges, letters, numbers, blanks, boundary }) {
  const byteOf = new Map([...alphabet].map((character, byte) => [character, byte]));
  spelled = vocabulary.map((token, id) =>
    token === null || id === boundary ? null : Uint8Array.from(token, character => byteOf.get(character)));
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  tokenOfByte = [...alphabet].map(character => ids.get(character));
  // Pair of tokens → its place among the merges and the token it becomes.
  merged = new Map();
  for (let place = 0; place < merges.length; place += 2) {
    const [left, right] = [merges[place], merges[place + 1]];
    merged.set(left * vocabulary.length + right, [place, ids.get(vocabulary[left] + vocabulary[right])]);
  }
  // The classes are those of the tokenizers library, because a browser may know another version of Unicode.
  const [L, N, B] = [letters, numbers, blanks].map(ranges =>
    ranges.map(([first, last]) => `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`).join(""));
  pattern = new RegExp(`'s|'t|'re|'ve|'m|'ll|'d| ?[${L}]+| ?[${N}]+| ?[^${B}${L}${N}]+|[${B}]+(?![^${B}])|[${B}]+`, "gu");
  openLetters(vocabulary.length, boundary);
}

function encode(text) {
  // Half a surrogate pair, which no UTF-8 has, becomes the sign for an unknown character.
  return (text.replace(/\p{Surrogate}/gu, "\ufffd").match(pattern) ?? []).flatMap(piece => encodePiece(piece));
}

function encodePiece(piece) {
  const tokens = Array.from(utf8.encode(piece), byte => tokenOfByte[byte]);
  while (tokens.length > 1) {
    let first, best = [Infinity];
    for (let place = 0; place + 1 < tokens.length; place++) {
      const pair = merged.get(tokens[place] * spelled.length + tokens[place + 1]);
      if (pair && pair[0] < best[0]) [first, best] = [place, pair];
    }
    if (first === undefined) break;
    tokens.splice(first, 2, best[1]);
  }
  return tokens;
}

// ---- Which tokens may follow a part of a letter; see samizdat/samples/letters.py ----

// State → the bytes that may follow, as ranges, and the state after them (Unicode Standard 16, Table 3-7).
const FOLLOWING = [
  [[0x00, 0x7f, 0], [0xc2, 0xdf, 1], [0xe0, 0xe0, 3], [0xe1, 0xec, 2], [0xed, 0xed, 4], [0xee, 0xef, 2],
    [0xf0, 0xf0, 6], [0xf1, 0xf3, 5], [0xf4, 0xf4, 7]],
  [[0x80, 0xbf, 0]], [[0x80, 0xbf, 1]], [[0xa0, 0xbf, 1]], [[0x80, 0x9f, 1]], [[0x80, 0xbf, 2]], [[0x90, 0xbf, 2]],
  [[0x80, 0x8f, 2]], [],
];

function openLetters(size, boundary) {
  const following = FOLLOWING.map(ranges => {
    const states = new Uint8Array(256).fill(IMPOSSIBLE);
    for (const [first, last, state] of ranges) states.fill(state, first, last + 1);
    return states;
  });
  after = FOLLOWING.map((ranges, state) => Uint8Array.from({ length: size }, (_, id) => {
    if (id === boundary) return state === WHOLE ? WHOLE : IMPOSSIBLE;
    return spelled[id]?.length ? spelled[id].reduce((now, byte) => following[now][byte], state) : IMPOSSIBLE;
  }));
  ways = [0, ...Array(IMPOSSIBLE).fill(Infinity)];
  for (let round = 0; round < LONGEST_WAY; round++) {
    for (let state = 1; state < IMPOSSIBLE; state++) {
      ways[state] = after[state].reduce((least, next) => Math.min(least, ways[next] + 1), ways[state]);
    }
  }
}

// Whether a token may follow: the letter that it leaves unfinished can be finished with the tokens that are left.
function mayFollow(tokens) {
  const state = tokens.slice(1).reduce((now, token) => after[now][token], WHOLE);
  const left = Math.min(shape.context - tokens.length - 1, LONGEST_WAY);
  return token => ways[after[state][token]] <= left;
}

// ---- The forward pass ----

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64), bytes = new Uint8Array(text.length); // browsers before 2025
  for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
  return bytes;
}

// Makes the arrays of a checkpoint from its bytes. A matrix is eight-bit numbers and a scale for each row.
function openWeights(percent, base64) {
  const bytes = bytesOf(base64).buffer;
  const parts = {};
  for (const { name, rows, columns, at, scales } of facts.tensors) {
    parts[name] = columns === null
      ? new Float32Array(bytes, at, rows)
      : { rows, columns, numbers: new Int8Array(bytes, at, rows * columns), scales: new Float32Array(bytes, scales, rows) };
  }
  checkpoints.set(percent, parts);
}

function openModel(percent) {
  if (model === checkpoints.get(percent)) return;
  model = checkpoints.get(percent);
  [read, bits] = [[], [0]];
  logitsAfter = 0;
}

function makeSpace() {
  const { width, inner, layers, context, vocabulary } = shape;
  [keys, values] = [0, 1].map(() => Array.from({ length: layers }, () => new Float32Array(context * width)));
  work = {
    hidden: new Float64Array(width), normal: new Float64Array(width), mixed: new Float64Array(3 * width),
    inner: new Float64Array(inner), change: new Float64Array(width), scores: new Float64Array(context),
  };
  logits = new Float32Array(vocabulary);
}

function multiply({ rows, columns, numbers, scales }, bias, input, output) {
  const even = columns - columns % 4;
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let a = 0, b = 0, c = 0, d = 0, column = 0;
    for (; column < even; column += 4) {
      const at = start + column;
      a += numbers[at] * input[column];
      b += numbers[at + 1] * input[column + 1];
      c += numbers[at + 2] * input[column + 2];
      d += numbers[at + 3] * input[column + 3];
    }
    for (; column < columns; column++) a += numbers[start + column] * input[column];
    output[row] = (a + b + c + d) * scales[row] + (bias === null ? 0 : bias[row]);
  }
}

function normalise(input, weight, bias, output) {
  const width = input.length;
  let mean = 0, variance = 0;
  for (let place = 0; place < width; place++) mean += input[place] / width;
  for (let place = 0; place < width; place++) variance += (input[place] - mean) ** 2 / width;
  const scale = 1 / Math.sqrt(variance + shape.epsilon);
  for (let place = 0; place < width; place++) {
    output[place] = (input[place] - mean) * scale * weight[place] + bias[place];
  }
}

// Writes a token's keys and values into the cache, and adds up the values that its heads attend to.
function attend(layer, position) {
  const { width, heads } = shape, head = width / heads, { mixed, scores, change } = work;
  const [ownKeys, ownValues] = [keys[layer], values[layer]];
  ownKeys.set(mixed.subarray(width, 2 * width), position * width);
  ownValues.set(mixed.subarray(2 * width), position * width);
  change.fill(0);
  for (let first = 0; first < width; first += head) {
    let highest = -Infinity, total = 0;
    for (let place = 0; place <= position; place++) {
      let score = 0;
      for (let part = first; part < first + head; part++) score += mixed[part] * ownKeys[place * width + part];
      scores[place] = score * shape.scales[layer];
      highest = Math.max(highest, scores[place]);
    }
    for (let place = 0; place <= position; place++) {
      scores[place] = Math.exp(scores[place] - highest);
      total += scores[place];
    }
    for (let place = 0; place <= position; place++) {
      const share = scores[place] / total;
      for (let part = first; part < first + head; part++) change[part] += share * ownValues[place * width + part];
    }
  }
}

function add(change, hidden) {
  for (let place = 0; place < hidden.length; place++) hidden[place] += change[place];
}

// Reads one token; afterwards `logits` are those of the token that follows.
function forward(token, position) {
  const { hidden, normal, mixed, inner, change } = work, { "wte.weight": wte, "wpe.weight": wpe } = model, { width } = shape;
  for (let place = 0; place < width; place++) {
    hidden[place] = wte.numbers[token * width + place] * wte.scales[token]
      + wpe.numbers[position * width + place] * wpe.scales[position];
  }
  for (let layer = 0; layer < shape.layers; layer++) {
    const part = name => model[`h.${layer}.${name}`];
    normalise(hidden, part("ln_1.weight"), part("ln_1.bias"), normal);
    multiply(part("attn.c_attn.weight"), part("attn.c_attn.bias"), normal, mixed);
    attend(layer, position);
    normal.set(change);
    multiply(part("attn.c_proj.weight"), part("attn.c_proj.bias"), normal, change);
    add(change, hidden);
    normalise(hidden, part("ln_2.weight"), part("ln_2.bias"), normal);
    multiply(part("mlp.c_fc.weight"), part("mlp.c_fc.bias"), normal, inner);
    for (let place = 0; place < inner.length; place++) { // GELU, in the form with tanh
      const x = inner[place];
      inner[place] = x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    }
    multiply(part("mlp.c_proj.weight"), part("mlp.c_proj.bias"), inner, change);
    add(change, hidden);
  }
  normalise(hidden, model["ln_f.weight"], model["ln_f.bias"], normal);
  multiply(model["lm_head.weight"] ?? wte, null, normal, logits);
  logitsAfter = position + 1;
}

// Reads the tokens that are not in the cache yet, so that `bits` has what each cost.
function readAll(tokens) {
  let same = 0;
  while (same < tokens.length && same < read.length && tokens[same] === read[same]) same++;
  if (same === tokens.length) return;
  for (let place = Math.max(same - 1, 0); place < tokens.length; place++) {
    if (place >= same && place > 0) bits[place] = costOf(tokens[place]);
    if (place < same && logitsAfter === same) continue;
    forward(tokens[place], place);
  }
  read = [...tokens];
}

// Reads the tokens, so that `logits` are those of the token that follows.
function readUpTo(tokens) {
  readAll(tokens);
  if (logitsAfter !== tokens.length) forward(tokens.at(-1), tokens.length - 1);
}

function logOfSum() {
  let highest = -Infinity, total = 0;
  for (const score of logits) highest = Math.max(highest, score);
  for (const score of logits) total += Math.exp(score - highest);
  return highest + Math.log(total);
}

const costOf = token => (logOfSum() - logits[token]) / LN2;

// ---- The draw, in the order of samizdat/samples/token_choice.py ----

// Returns the chance of each token to be drawn after `tokens`, whose logits are there.
function chances(tokens, { temperature, topK, topP, penalty }) {
  const scores = new Float64Array(logits), allowed = mayFollow(tokens);
  for (let token = 0; token < scores.length; token++) if (!allowed(token)) scores[token] = -Infinity;
  for (const token of new Set(tokens)) scores[token] = scores[token] < 0 ? scores[token] * penalty : scores[token] / penalty;
  if (temperature === 0) {
    const best = scores.indexOf(scores.reduce((highest, score) => Math.max(highest, score)));
    return scores.fill(0).fill(1, best, best + 1);
  }
  const least = topK > 0 && topK < scores.length ? scores.slice().sort()[scores.length - topK] : -Infinity;
  const highest = scores.reduce((found, score) => Math.max(found, score));
  const shares = scores.map(score => score < least ? 0 : Math.exp((score - highest) / temperature));
  return normalised(topP < 1 ? mostProbable(normalised(shares), topP) : shares);
}

function normalised(shares) {
  const total = shares.reduce((sum, share) => sum + share);
  return shares.map(share => share / total);
}

// Keeps a token if those that are more probable make up less than `topP`.
function mostProbable(shares, topP) {
  const sorted = shares.slice().sort();
  let place = sorted.length - 1, above = 0, least = 0;
  while (place >= 0 && above < topP) {
    least = sorted[place];
    for (; place >= 0 && sorted[place] === least; place--) above += least;
  }
  return shares.map(share => share < least ? 0 : share);
}

function draw(shares) {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  let left = (high * 2 ** 21 + (low >>> 11)) / 2 ** 53, last;
  for (let token = 0; token < shares.length; token++) {
    if (shares[token] === 0) continue;
    last = token;
    if ((left -= shares[token]) < 0) break;
  }
  return last;
}

// ---- What the page may ask ----

const ANSWERS = {
  open(message) {
    facts = message.facts;
    shape = facts.shape;
    openTokenizer(facts.tokenizer);
    makeSpace();
  },
  weights: ({ percent, base64 }) => openWeights(percent, base64),
  encode: ({ texts }) => texts.map(encode),
  // What each token costs, in bits; the first, the boundary, costs nothing.
  costs({ percent, tokens }) {
    openModel(percent);
    readAll(tokens);
    return bits.slice(0, tokens.length);
  },
  // The most probable tokens after `tokens`, and `token`, the one that is there.
  alternatives({ percent, tokens, settings, token }) {
    openModel(percent);
    readUpTo(tokens);
    const shares = chances(tokens, settings), allowed = mayFollow(tokens);
    const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a]);
    const wanted = order.slice(0, ALTERNATIVES);
    if (token !== undefined && !wanted.includes(token)) wanted.push(token);
    const rows = wanted.map(one => (
      { token: one, rank: order.indexOf(one) + 1, bits: costOf(one), chance: shares[one], allowed: allowed(one) }
    ));
    return { rows, possible: shares.reduce((count, share) => count + (share > 0), 0) };
  },
  next({ percent, tokens, settings }) {
    openModel(percent);
    readUpTo(tokens);
    const token = draw(chances(tokens, settings));
    return { token, bits: costOf(token) };
  },
};

onmessage = ({ data: { id, ask, ...message } }) => {
  try {
    postMessage({ id, answer: ANSWERS[ask](message) });
  } catch (error) {
    postMessage({ id, error: String(error) });
  }
};
