// The counts of all PEs, out of the form in which the page carries them (mapData.ts), and sums of operators.

/**
 * @typedef {{ name: string, cycles: number, columns: number, rows: [width: number, profile: number][] }} Operator
 * @typedef {{ name: string, operators: number[] }} Place
 * @typedef {object} Wafer
 * @property {number} width PEs of the wafer
 * @property {number} height
 * @property {number} columns of a group
 * @property {number} groups
 * @property {number} rows in use
 * @property {number} rowsPerSequence 0 where there are no sequences
 * @property {string[]} causes names, in the order of the counts
 * @property {number[]} lengths
 * @property {string} counts
 * @property {Operator[]} operators
 * @property {Place[]} places
 *
 * Some operators together: counts a column, and by width those a row to be added, causes next to each other.
 * @typedef {{ cycles: number, columns: Float64Array, rows: Map<number, Float64Array> }} Sum
 */

/**
 * @param {Wafer} wafer
 * @returns {Promise<Float64Array[]>} profiles, causes next to each other
 */
export async function readProfiles({ counts, lengths, causes }) {
  const deflated = Uint8Array.from(atob(counts), (letter) => letter.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let at = 0;
  const next = () => {
    let value = 0;
    let unit = 1;
    for (; bytes[at] >= 128; unit *= 128) value += (bytes[at++] - 128) * unit;
    value += bytes[at++] * unit;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  };
  return lengths.map((length) => {
    const profile = new Float64Array(length);
    for (let c = 0; c < causes.length; c++) {
      let before = 0;
      for (let i = c; i < length; i += causes.length) profile[i] = before += next();
    }
    return profile;
  });
}

/**
 * @param {Wafer} wafer
 * @param {Float64Array[]} profiles
 * @param {number[]} indices of operators
 * @returns {Sum}
 */
export function sumOf({ operators, columns, causes }, profiles, indices) {
  /** @type {Sum} */
  const sum = { cycles: 0, columns: new Float64Array(columns * causes.length), rows: new Map() };
  for (const index of indices) {
    const operator = operators[index];
    sum.cycles += operator.cycles;
    add(sum.columns, profiles[operator.columns]);
    for (const [width, profile] of operator.rows) {
      const rows = sum.rows.get(width) ?? new Float64Array(profiles[profile].length);
      sum.rows.set(width, rows);
      add(rows, profiles[profile]);
    }
  }
  return sum;
}

/**
 * @param {Float64Array} to
 * @param {Float64Array} from
 */
function add(to, from) {
  for (let i = 0; i < to.length; i++) to[i] += from[i];
}

/**
 * Cycles of one cause, of the PE at a column of a group and a row.
 * @param {Sum} sum
 * @param {number} causes how many there are
 * @param {number} cause
 * @param {number} column
 * @param {number} row
 */
export function cyclesOf({ columns, rows }, causes, cause, column, row) {
  let cycles = columns[column * causes + cause];
  for (const [width, counts] of rows) if (column < width) cycles += counts[row * causes + cause];
  return cycles;
}
