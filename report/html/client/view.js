// A part of the wafer in the canvas: so many pixels a PE, and where PE (0, 0) begins. Pan, zoom about a point, fit.

/** @typedef {{ scale: number, left: number, top: number }} View */

/** Pixels a PE may have, and times as many as where all are in sight. */
const MOST_SCALE = 64;
const MOST_ZOOM = 8;

/**
 * @param {{ width: number, height: number }} wafer
 * @param {{ width: number, height: number }} room in pixels
 * @returns {View}
 */
export function fitted(wafer, room) {
  const scale = Math.min(room.width / wafer.width, room.height / wafer.height);
  return {
    scale,
    left: (room.width - wafer.width * scale) / 2,
    top: (room.height - wafer.height * scale) / 2,
  };
}

/**
 * The point stays where it is.
 * @param {View} view
 * @param {number} factor
 * @param {{ x: number, y: number }} point in pixels
 * @param {number} least scale
 * @returns {View}
 */
export function zoomed({ scale, left, top }, factor, { x, y }, least) {
  const to = Math.min(Math.max(MOST_SCALE, MOST_ZOOM * least), Math.max(least, scale * factor));
  const by = to / scale;
  return { scale: to, left: x - (x - left) * by, top: y - (y - top) * by };
}

/**
 * So that a PE is in sight.
 * @param {View} view
 * @param {{ x: number, y: number }} pe
 * @param {{ width: number, height: number }} room
 * @returns {View}
 */
export function showing({ scale, left, top }, pe, room) {
  /** @type {(from: number, at: number, size: number) => number} */
  const shifted = (from, at, size) => {
    const start = from + at * scale;
    if (start < 0) return from - start;
    const over = start + scale - size;
    return over > 0 ? from - over : from;
  };
  return { scale, left: shifted(left, pe.x, room.width), top: shifted(top, pe.y, room.height) };
}
