// Numbers as people read them.

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Four digits and a prefix: 1.234 M. */
export function scaled(value: number): string {
  const prefixes = ['', ' k', ' M', ' G', ' T', ' P'];
  let i = 0;
  let x = value;
  for (; Math.abs(x) >= 1000 && i < prefixes.length - 1; i++) x /= 1000;
  return `${i === 0 && Number.isInteger(x) ? x : x.toPrecision(4)}${prefixes[i]}`;
}

export function duration(seconds: number): string {
  if (seconds >= 1) return `${seconds >= 1e4 ? count(Math.round(seconds)) : seconds.toPrecision(4)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toPrecision(4)} ms`;
  return `${(seconds * 1e6).toPrecision(4)} us`;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export function times(factor: number | null): string {
  return factor === null ? 'no bound' : `${factor.toFixed(2)} x`;
}

const LONGEST_NAME = 22;

/** The name of an operator as tables have it. */
export function shortName(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 3)}...` : name;
}

/** Breaks a text into lines of at most `width`, the first behind `mark`, the others under it. */
export function wrapped(text: string, width: number, mark: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => pieces(each, width - mark.length))) {
    if (line !== '' && mark.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each, i) => (i === 0 ? mark : ' '.repeat(mark.length)) + each);
}

function pieces(word: string, length: number): string[] {
  return word.length <= length ? [word] : [word.slice(0, length), ...pieces(word.slice(length), length)];
}
