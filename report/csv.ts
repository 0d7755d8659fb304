// Tables for programs: RFC 4180, but for its line ends.

/** A line with its end. */
export function csvLine(values: readonly unknown[]): string {
  return `${values.map(cellOf).join(',')}\n`;
}

/** Quoted where a comma, a quote or a line end would be taken for one of the table's; null is empty. */
function cellOf(value: unknown): string {
  if (value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
