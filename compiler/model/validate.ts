// A document against its zod schema, every fault in our words: what is wrong, what was got, what is allowed, what was
// perhaps meant. Where a value may have several forms (a number or an object), the faults are those of the form that was
// meant, not of all.

import { z } from 'zod';
import { ourNameFor } from './aliases.ts';
import type { Document } from './document.ts';
import type { Path } from './paths.ts';
import { failureOf, show, type Issue } from './located.ts';
import { nearName } from './nearName.ts';

/** Keys listed beside the one that was probably meant. */
const LONGEST_LIST = 8;

/** Numbers from here on are printed with an exponent. */
const LONGEST_PLAIN = 1e12;

/** The value of a document, checked, defaults filled in. */
export function validate<Schema extends z.ZodType>(document: Document, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(document.value, { error: wordingOf });
  if (result.success) return result.data;
  const issues = result.error.issues.flatMap((issue) => issuesOf(issue, []));
  // What else is wrong depends on the kind; a wrong kind makes it noise.
  const ofKind = issues.filter(({ path }) => path.length === 1 && path[0] === 'kind');
  throw failureOf(document, ofKind.length > 0 ? ofKind : issues);
}

function issuesOf(issue: z.core.$ZodIssue, base: Path): Issue[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'unrecognized_keys') {
    const texts = issue.message.split('\n');
    return issue.keys.map((key, i) => ({ path: [...path, key], on: 'key', text: texts[i] }));
  }
  if (issue.code === 'invalid_union') {
    const meant = formMeant(issue.errors);
    if (meant !== undefined) return meant.flatMap((inner) => issuesOf(inner, path));
  }
  return [{ path, on: 'value', text: issue.message }];
}

/** Of the forms tried the one that the value has, so that its faults lie within; `undefined` if it has none of them. */
function formMeant(forms: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  return forms.filter((issues) => issues.every(isWithin)).toSorted((a, b) => a.length - b.length)[0];
}

function isWithin({ path, code }: z.core.$ZodIssue): boolean {
  return path.length > 0 || !['invalid_type', 'invalid_value', 'invalid_format'].includes(code);
}

/** The message of one fault; for unknown keys one line a key. */
function wordingOf(issue: z.core.$ZodRawIssue): string {
  const { input, schema } = issue;
  const allowed = schema === undefined ? '' : `, allowed ${allowedBy(schema)}`;
  if (issue.code === 'unrecognized_keys') {
    const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
    return issue.keys.map((key) => unknownKey(key, names)).join('\n');
  }
  if (input === undefined) return `missing${allowed}`;
  if (issue.code === 'invalid_value') return unknownValue(input, issue.values.map(String));
  const isOutOfRange = issue.code === 'too_small' || issue.code === 'too_big';
  return `${isOutOfRange ? 'out of range' : 'wrong type'}, got ${show(input)}${allowed}`;
}

export function unknownKey(key: string, allowed: readonly string[]): string {
  const names = allowed.filter((name) => !name.startsWith('$'));
  const meant = ourNameFor(key, names) ?? nearName(key, names);
  const isLong = names.length > LONGEST_LIST && meant !== undefined;
  return `unknown key, got ${show(key)}${isLong ? '' : `, allowed ${names.join(', ')}`}${didYouMean(meant)}`;
}

export function unknownValue(got: unknown, allowed: readonly string[], others = ''): string {
  const meant = typeof got === 'string' ? nearName(got, allowed) : undefined;
  const names = allowed.map((name) => `"${name}"`).join(', ');
  return `unknown value, got ${show(got)}, allowed ${names}${others}${didYouMean(meant)}`;
}

export function didYouMean(name: string | undefined): string {
  return name === undefined ? '' : `, did you mean "${name}"?`;
}

function allowedBy(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return allowedBy(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.map(allowedBy).join(', or ');
  if (schema instanceof z.ZodEnum) return schema.options.map((name) => `"${name}"`).join(', ');
  if (schema instanceof z.ZodLiteral) return [...schema.values].map((value) => JSON.stringify(value)).join(', ');
  if (schema instanceof z.ZodNumber) return rangeOf(schema);
  if (schema instanceof z.ZodBoolean) return 'true or false';
  if (schema instanceof z.ZodArray) return `a list of ${allowedBy(schema.element)}`;
  if (schema instanceof z.ZodObject) return 'an object';
  return 'text';
}

function rangeOf(schema: z.ZodNumber): string {
  const { minValue, maxValue } = schema;
  const what = schema.isInt ? 'a whole number' : 'a number';
  // The ends of z.int() are those of exact integers, not a rule of ours.
  const end = maxValue === null || maxValue === Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : maxValue;
  const last = end < LONGEST_PLAIN ? String(end) : end.toExponential();
  if (minValue === null || minValue <= Number.MIN_SAFE_INTEGER) return what;
  if (!schema.safeParse(minValue).success)
    return `${what} above ${minValue}${end === Infinity ? '' : `, up to ${last}`}`;
  return end === Infinity ? `${what} of at least ${minValue}` : `${what} ${minValue} to ${last}`;
}
