// Spans of cycles and rectangles of PEs as a command line names them: `12`, or `12:40` with both ends in it; `3,0`, or
// `0:3,0:1`, columns first.

import { inputError } from '../emulator/errors.ts';
import type { Span } from '../emulator/stepped/recording.ts';
import type { Place } from '../run/watched.ts';

/** Of `cycles` cycles, where they are known; a range that ends later ends there. */
export function spanOf(flag: string, text: string, cycles: number): Span {
  const span = rangeOf(text);
  const form = 'allowed a cycle such as 12, or the first and the last such as 12:40';
  if (span === undefined) throw inputError(`${flag}: got ${JSON.stringify(text)}, ${form}`);
  if (span.from >= cycles)
    throw inputError(`${flag}: got ${JSON.stringify(text)}, allowed 0 to ${cycles - 1}, the last cycle of the run`);
  return { from: span.from, until: Math.min(span.until, cycles) };
}

/** One PE of a mesh. */
export function placeOf(flag: string, text: string, width: number, height: number): Place {
  const places = placesOf(flag, text, width, height);
  if (places.length === 1) return places[0];
  throw inputError(`${flag}: got ${JSON.stringify(text)}, ${places.length} PEs, allowed one, column,row`);
}

/** The PEs of a rectangle of a mesh, row by row. */
export function placesOf(flag: string, text: string, width: number, height: number): Place[] {
  const [columns, rows, ...more] = text.split(',').map(rangeOf);
  if (columns === undefined || rows === undefined || more.length > 0)
    throw inputError(
      `${flag}: got ${JSON.stringify(text)}, allowed a PE such as 3,0, column and row, or a rectangle such as 0:3,0:1`,
    );
  if (columns.until > width || rows.until > height)
    throw inputError(
      `${flag}: got ${JSON.stringify(text)}, allowed columns 0 to ${width - 1} and rows 0 to ${height - 1}`,
    );
  const places: Place[] = [];
  for (let y = rows.from; y < rows.until; y++) for (let x = columns.from; x < columns.until; x++) places.push({ x, y });
  return places;
}

function rangeOf(text: string): Span | undefined {
  const found = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text.trim());
  if (found === null) return undefined;
  const from = Number(found[1]);
  const until = Number(found[2] ?? found[1]) + 1;
  return until > from ? { from, until } : undefined;
}
