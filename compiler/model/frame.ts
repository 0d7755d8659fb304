// A place in a text as people read it: line and column from 1, and the line itself with a caret under the column.

const LONGEST_LINE = 110;
/** Columns kept to the left of the caret when a longer line is cut. */
const BEFORE_CARET = 60;

export interface Place {
  readonly line: number;
  readonly column: number;
  /** Two lines: the text of the line after its number, and the caret. */
  readonly frame: string;
}

export function frameAt(text: string, offset: number): Place {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  const line = lines.length;
  const before = lines[line - 1].length;
  const start = offset - before;
  const end = text.slice(offset).search(/[\r\n]/);
  const whole = text.slice(start, end === -1 ? text.length : offset + end);
  const cut = whole.length > LONGEST_LINE ? Math.max(0, before - BEFORE_CARET) : 0;
  const shown = printable(whole.slice(cut, cut + LONGEST_LINE));
  const lead = cut > 0 ? '...' : '';
  const tail = cut + LONGEST_LINE < whole.length ? '...' : '';
  const gutter = ' '.repeat(String(line).length);
  const caret = ' '.repeat(lead.length + before - cut);
  return {
    line,
    column: before + 1,
    frame: `  ${line} | ${lead}${shown}${tail}\n  ${gutter} | ${caret}^`,
  };
}

/** Each control character as one blank: a file must not be able to command the terminal that shows it. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}
