// The map of the wafer: a pixel for each PE in the colour of what is chosen, and the counts of the PE under the pointer or the
// keys, exact.

import { cyclesOf, readProfiles, sumOf } from './counts.js';
import { fitted, showing, zoomed } from './view.js';

/**
 * @typedef {import('./counts.js').Wafer} Wafer
 * @typedef {import('./counts.js').Sum} Sum
 */

/** Of the causes, those that are issued slots. */
const SLOTS = [0, 1, 2];
const STEPS = 256;
const MAP_ZOOM = 1.4;

/**
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

/** STEPS colours, each red, green and blue, from the stops of the legend, which the theme decides. @returns {number[][]} */
function ramp() {
  const stops = Array.from(byId('map-ramp', HTMLElement).children, (stop) =>
    (getComputedStyle(stop).color.match(/[\d.]+/g) ?? []).map(Number),
  );
  return Array.from({ length: STEPS }, (_, i) => {
    const at = (i / (STEPS - 1)) * (stops.length - 1);
    const from = Math.min(Math.floor(at), stops.length - 2);
    return [0, 1, 2].map((k) => Math.round(stops[from][k] + (at - from) * (stops[from + 1][k] - stops[from][k])));
  });
}

/** @param {Wafer} wafer */
export async function showMap(wafer) {
  const canvas = byId('map', HTMLCanvasElement);
  const context = canvas.getContext('2d');
  const image = new OffscreenCanvas(wafer.width, wafer.height);
  const pixels = image.getContext('2d');
  if (context === null || pixels === null) throw new Error('no canvas here');
  const choice = { place: byId('map-place', HTMLSelectElement), layer: byId('map-layer', HTMLSelectElement) };
  const cause = byId('map-cause', HTMLSelectElement);
  const full = byId('map-full', HTMLInputElement);
  const profiles = await readProfiles(wafer);
  const used = wafer.groups * wafer.columns;
  const room = { width: 1, height: 1 };
  let sum = sumOf(wafer, profiles, chosen(wafer, choice));
  let view = fitted(wafer, room);
  let isFitted = true;
  const pe = { x: 0, y: 0 };

  const draw = () => {
    const ratio = devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, room.width, room.height);
    context.imageSmoothingEnabled = view.scale < 1;
    context.drawImage(image, view.left, view.top, wafer.width * view.scale, wafer.height * view.scale);
    context.lineWidth = 1;
    context.strokeStyle = getComputedStyle(canvas).borderTopColor;
    context.strokeRect(view.left, view.top, wafer.width * view.scale, wafer.height * view.scale);
    context.lineWidth = 2;
    context.strokeStyle = getComputedStyle(canvas).color;
    const size = Math.max(view.scale, 6);
    const off = (size - view.scale) / 2;
    context.strokeRect(view.left + pe.x * view.scale - off, view.top + pe.y * view.scale - off, size, size);
  };
  const paint = () => {
    const which = cause.value === 'slots' ? SLOTS : [Number(cause.value)];
    const range = paintImage(pixels, wafer, sum, which, full.checked);
    byId('map-low', HTMLElement).textContent = percent(range.low);
    byId('map-high', HTMLElement).textContent = percent(range.high);
    draw();
  };
  const read = () => byId('map-readout', HTMLElement).replaceChildren(...readout(wafer, sum, pe));
  const fit = () => {
    view = fitted(wafer, room);
    isFitted = true;
    draw();
  };
  /** @param {number} factor @param {{ x: number, y: number }} point */
  const zoom = (factor, point) => {
    const least = fitted(wafer, room).scale;
    view = zoomed(view, factor, point, least);
    isFitted = view.scale === least;
    if (isFitted) fit();
    draw();
  };
  const atPe = () => ({ x: view.left + (pe.x + 0.5) * view.scale, y: view.top + (pe.y + 0.5) * view.scale });
  /** @param {number} x @param {number} y */
  const select = (x, y) => {
    pe.x = Math.min(wafer.width - 1, Math.max(0, x));
    pe.y = Math.min(wafer.height - 1, Math.max(0, y));
    read();
    draw();
  };
  const choose = () => {
    sum = sumOf(wafer, profiles, chosen(wafer, choice));
    read();
    paint();
  };

  choice.place.addEventListener('change', () => {
    offerLayers(wafer, choice);
    choose();
  });
  choice.layer.addEventListener('change', choose);
  cause.addEventListener('change', paint);
  full.addEventListener('change', paint);
  byId('map-in', HTMLButtonElement).addEventListener('click', () => zoom(MAP_ZOOM * MAP_ZOOM, atPe()));
  byId('map-out', HTMLButtonElement).addEventListener('click', () => zoom(1 / (MAP_ZOOM * MAP_ZOOM), atPe()));
  byId('map-fit', HTMLButtonElement).addEventListener('click', fit);
  canvas.addEventListener('keydown', (event) => {
    const step = event.shiftKey ? 10 : 1;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (move !== undefined) {
      select(pe.x + step * move[0], pe.y + step * move[1]);
      view = showing(view, pe, room);
      draw();
    } else if (event.key === '+' || event.key === '=') zoom(MAP_ZOOM, atPe());
    else if (event.key === '-') zoom(1 / MAP_ZOOM, atPe());
    else if (event.key === '0') fit();
    else return;
    event.preventDefault();
  });
  canvas.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return;
      event.preventDefault();
      zoom(MAP_ZOOM ** (-event.deltaY / 100), { x: event.offsetX, y: event.offsetY });
    },
    { passive: false },
  );
  /** @type {{ x: number, y: number } | null} where a drag is */
  let drag = null;
  canvas.addEventListener('pointerdown', (event) => {
    drag = { x: event.offsetX, y: event.offsetY };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointerup', () => {
    drag = null;
  });
  canvas.addEventListener('pointermove', (event) => {
    const { offsetX: x, offsetY: y } = event;
    if (drag !== null) {
      view = { ...view, left: view.left + x - drag.x, top: view.top + y - drag.y };
      isFitted = false;
      drag = { x, y };
      draw();
      return;
    }
    const at = { x: Math.floor((x - view.left) / view.scale), y: Math.floor((y - view.top) / view.scale) };
    if (at.x >= 0 && at.y >= 0 && at.x < wafer.width && at.y < wafer.height) select(at.x, at.y);
  });
  new ResizeObserver(() => {
    room.width = canvas.clientWidth;
    room.height = canvas.clientHeight;
    canvas.width = Math.round(room.width * devicePixelRatio);
    canvas.height = Math.round(room.height * devicePixelRatio);
    if (isFitted) view = fitted(wafer, room);
    draw();
  }).observe(canvas);
  document.addEventListener('themechange', paint);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);
  offerLayers(wafer, choice);
  read();
  paint();
  canvas.dataset.pes = String(used * wafer.rows);
}

/**
 * @typedef {{ place: HTMLSelectElement, layer: HTMLSelectElement }} Choice
 * @param {Wafer} wafer
 * @param {Choice} choice
 * @returns {number[]} indices of operators
 */
function chosen({ operators, places }, { place, layer }) {
  if (place.value === 'all') return operators.map((_, i) => i);
  return layer.value === 'all' ? places[Number(place.value)].operators : [Number(layer.value)];
}

/** @param {Wafer} wafer @param {Choice} choice */
function offerLayers({ operators, places }, { place, layer }) {
  const own = place.value === 'all' ? [] : places[Number(place.value)].operators;
  const names = own.length > 1 ? own.map((i) => new Option(operators[i].name, String(i))) : [];
  layer.replaceChildren(new Option('all layers', 'all'), ...names);
  layer.disabled = names.length === 0;
}

/**
 * @param {OffscreenCanvasRenderingContext2D} pixels
 * @param {Wafer} wafer
 * @param {Sum} sum
 * @param {number[]} which causes
 * @param {boolean} isFull from 0 to 100 %, else from the least to the most
 */
function paintImage(pixels, wafer, sum, which, isFull) {
  const { width, height, columns, groups, rows, causes } = wafer;
  const shares = new Float64Array(columns * rows);
  let low = Infinity;
  let high = -Infinity;
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      let cycles = 0;
      for (const cause of which) cycles += cyclesOf(sum, causes.length, cause, x, y);
      const share = cycles / sum.cycles;
      shares[y * columns + x] = share;
      low = Math.min(low, share);
      high = Math.max(high, share);
    }
  const range = isFull ? { low: 0, high: 1 } : { low, high };
  const colours = ramp();
  const image = pixels.createImageData(width, height);
  const span = range.high - range.low;
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < groups * columns; x++) {
      const share = shares[y * columns + (x % columns)];
      const step = span > 0 ? Math.round(((share - range.low) / span) * (STEPS - 1)) : STEPS >> 1;
      const [red, green, blue] = colours[step];
      image.data.set([red, green, blue, 255], 4 * (y * width + x));
    }
  pixels.putImageData(image, 0, 0);
  return range;
}

/**
 * @param {Wafer} wafer
 * @param {Sum} sum
 * @param {{ x: number, y: number }} pe
 * @returns {HTMLElement[]}
 */
function readout({ columns, groups, rows, rowsPerSequence, causes }, sum, { x, y }) {
  const title = text('h3', `PE (${x}, ${y})`);
  if (x >= groups * columns || y >= rows) return [title, text('p', 'not in use')];
  const column = x % columns;
  const place = [
    `group ${Math.floor(x / columns)}`,
    `column ${column} of ${columns}`,
    `ring position ${ringPosition(column, columns)}`,
  ];
  if (rowsPerSequence > 0)
    place.push(`sequence ${Math.floor(y / rowsPerSequence)} of the group, its row ${y % rowsPerSequence}`);
  const body = document.createElement('tbody');
  causes.forEach((name, cause) => {
    const cycles = cyclesOf(sum, causes.length, cause, column, y);
    const row = body.insertRow();
    const head = text('th', name);
    head.scope = 'row';
    row.append(head, number(cycles.toLocaleString('en-US')), number(percent(cycles / sum.cycles)));
  });
  const table = document.createElement('table');
  table.append(body);
  const all = text('p', `of ${sum.cycles.toLocaleString('en-US')} cycles`);
  return [title, text('p', place.join(', ')), table, all];
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} content
 * @returns {HTMLElementTagNameMap[Name]}
 */
function text(name, content) {
  const element = document.createElement(name);
  element.textContent = content;
  return element;
}

/** @param {string} content */
function number(content) {
  const cell = text('td', content);
  cell.className = 'number';
  return cell;
}

/** Even columns go east, odd ones come back. @param {number} column @param {number} columns */
function ringPosition(column, columns) {
  return column % 2 === 0 ? column / 2 : columns - 1 - (column - 1) / 2;
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}
