// What `emulate check` prints of one golden: a line, and under it what moved.

import type { ChalkInstance } from 'chalk';
import { movedTable } from '../../report/movedTable.ts';
import { count } from '../../report/numbers.ts';
import type { Verdict } from './verdict.ts';

/** Lines of a table where there are several goldens. */
const MOST_OF_MANY = 30;

export function verdictText(file: string, verdict: Verdict, isOnly: boolean, colours: ChalkInstance): string {
  const line = (word: string, rest: string): string => `${word.padEnd(8)} ${file}: ${rest}\n`;
  switch (verdict.kind) {
    case 'same':
      return line('same', `${count(verdict.cycles)} cycles`);
    case 'unwritten':
      return line(colours.red('moved'), `it has no result yet; emulate check ${file} --update writes it`);
    case 'failed':
      return line(colours.red('failed'), verdict.message);
    case 'moved':
    case 'written': {
      const table = movedTable(verdict.differences, {
        heads: ['golden', 'now'],
        colours,
        most: isOnly ? Infinity : MOST_OF_MANY,
        rest: `emulate check ${file} tells all`,
      });
      const word = verdict.kind === 'moved' ? colours.red('moved') : 'written';
      return line(word, `${count(verdict.cycles)} cycles`) + table.map((row) => `${`  ${row}`.trimEnd()}\n`).join('');
    }
  }
}
