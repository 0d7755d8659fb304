// A timeline as a file, in the format that its name asks for.

import { extname } from 'node:path';
import { chromeTrace } from './chrome.ts';
import { CAUSE_LEGEND } from './pes.ts';
import { perfettoTrace } from './perfetto.ts';
import type { Timeline, Written } from './timeline.ts';
import { vcdTrace } from './vcd.ts';

/** `.json` is Chrome's format, `.vcd` a value change dump; anything else is Perfetto's own. */
export function traceDocument(file: string, timeline: Timeline, mostBytes: number): Written {
  const extension = extname(file).toLowerCase();
  if (extension === '.json') return chromeTrace(timeline, mostBytes);
  return extension === '.vcd' ? vcdTrace(timeline, CAUSE_LEGEND, mostBytes) : perfettoTrace(timeline, mostBytes);
}
