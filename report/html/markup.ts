// HTML and SVG as text. What comes from a file or a name is escaped here and nowhere else.

export type Attributes = Readonly<Record<string, string | number>>;

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** An element; `content` is markup. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(attribute(value))}"`);
  return `<${name}${given.join('')}>${content.join('')}</${name}>`;
}

/** Coordinates need no more than a hundredth of a pixel. */
function attribute(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 100) / 100) : value;
}

/** The text of an SVG at a place. */
export function label(x: number, y: number, text: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escaped(text));
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes): string {
  return element('line', { x1, y1, x2, y2, ...attributes });
}

/** A picture of so many units, as wide as there is room; `what` is what a screen reader says. */
export function picture(width: number, height: number, what: string, ...content: readonly string[]): string {
  return element('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': what }, ...content);
}

/** A table whose first column names the row; the other columns are numbers unless `texts` has their index. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  texts: readonly number[] = [],
): string {
  const align = (i: number): Attributes => (i === 0 || texts.includes(i) ? {} : { class: 'number' });
  const header = head.map((text, i) => element('th', { scope: 'col', ...align(i) }, escaped(text)));
  const body = rows.map((row) =>
    element(
      'tr',
      {},
      ...row.map((text, i) =>
        i === 0 ? element('th', { scope: 'row' }, escaped(text)) : element('td', align(i), escaped(text)),
      ),
    ),
  );
  return element('table', {}, element('thead', {}, element('tr', {}, ...header)), element('tbody', {}, ...body));
}

/** Steps of 1, 2 or 5 times a power of ten, at most `most` of them, from 0 to `end`. */
export function ticks(end: number, most: number): number[] {
  const rough = end / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10);
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
}
