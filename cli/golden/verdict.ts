// One golden looked at: run, compared, and with --update written anew. What is wrong with one does not keep the others from
// being looked at; a defect, a broken law or an interrupt does.

import { writeFileSync } from 'node:fs';
import { EmulateError, EXIT, type ExitCode, inputError } from '../../emulator/errors.ts';
import { compareGolden } from '../../report/golden/compare.ts';
import { type Golden, readGolden } from '../../report/golden/document.ts';
import { withResult } from '../../report/golden/text.ts';
import type { Differences } from '../../report/moves.ts';
import { runGolden, type Tools } from './run.ts';

export type Verdict =
  | { readonly kind: 'same'; readonly cycles: number }
  | { readonly kind: 'moved' | 'written'; readonly cycles: number; readonly differences: Differences }
  | { readonly kind: 'unwritten' }
  | { readonly kind: 'failed'; readonly code: ExitCode; readonly message: string };

export interface Looking extends Tools {
  readonly set: readonly string[];
  readonly update: boolean;
}

export async function verdictOn(file: string, looking: Looking): Promise<Verdict> {
  try {
    return await look(readGolden(file), looking);
  } catch (error) {
    const isOfGolden = error instanceof EmulateError && OF_GOLDEN.includes(error.code);
    if (!isOfGolden || looking.signal.aborted) throw error;
    return { kind: 'failed', code: error.code, message: error.message };
  }
}

const nothing: Differences = { facts: [], moves: [] };

const OF_GOLDEN: readonly ExitCode[] = [EXIT.input, EXIT.doesNotFit, EXIT.deadlock];

async function look(golden: Golden, looking: Looking): Promise<Verdict> {
  if (golden.result === undefined && !looking.update) return { kind: 'unwritten' };
  const result = await runGolden(golden, looking.set, looking);
  const { cycles } = result;
  const differences = compareGolden(golden, result);
  if (looking.update) {
    const text = withResult(golden.document, result);
    if (text === golden.document.text) return { kind: 'same', cycles };
    writeGolden(golden.document.name, text);
    return { kind: 'written', cycles, differences: golden.result === undefined ? nothing : differences };
  }
  const isSame = differences.facts.length === 0 && differences.moves.length === 0;
  return isSame ? { kind: 'same', cycles } : { kind: 'moved', cycles, differences };
}

export function writeGolden(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(`${file}: cannot be written (${why}), allowed a file in a folder that may be written`);
  }
}
