// `emulate run`: runs a program that `emulate compile --emit program --out` wrote.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { CommandModule } from 'yargs';
import { decodeProgram } from '../../compiler/lower/codec.ts';
import type { Program } from '../../compiler/lower/program.ts';
import { inputError } from '../../emulator/errors.ts';
import { runProgram } from '../../run/program.ts';
import type { WaferResult } from '../../run/result.ts';
import { pooledTimer } from '../../run/timer.ts';
import type { Io } from '../io.ts';
import { writeOutput } from './compile.ts';

export interface RunArguments {
  readonly program: string;
  readonly json: string | undefined;
}

export function runProgramCommand(io: Io): CommandModule<object, RunArguments> {
  return {
    command: 'run <program>',
    describe: 'run a compiled program',
    builder: (yargs) =>
      yargs
        .positional('program', { type: 'string', demandOption: true, describe: 'file of emulate compile' })
        // Without nargs yargs takes the - of `--json -` for an argument of the command.
        .option('json', { type: 'string', nargs: 1, describe: 'the result as JSON; - is stdout' }),
    handler: (given) => run(given, io),
  };
}

export async function run({ program: file, json }: RunArguments, io: Io): Promise<void> {
  const program = decodeProgram(readProgram(file), file);
  const timer = pooledTimer(availableParallelism(), io.signal);
  try {
    const result = await runProgram(program, { timer });
    const text = `${JSON.stringify(result)}\n`;
    if (json === undefined) await io.stdout.write(summary(program, result));
    else if (json === '-') await io.stdout.write(text);
    else writeOutput('--json', json, text);
  } finally {
    await timer.close();
  }
}

function readProgram(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(
      `${file}: cannot be read (${why}), allowed a file written by emulate compile --emit program --out`,
    );
  }
}

function summary({ name, machine, tokens }: Program, result: WaferResult): string {
  const { cycles, seconds, tokensPerSecond, utilisation } = result;
  const lines = [
    `${name} on ${machine.name}: ${tokens} tokens`,
    `  cycles       ${cycles.toLocaleString('en-US')}`,
    `  seconds      ${seconds.toPrecision(6)} at ${machine.clockHz / 1e6} MHz`,
    `  tokens/s     ${tokensPerSecond.toLocaleString('en-US', { maximumFractionDigits: 0 })}`,
    `  utilisation  ${(100 * utilisation).toPrecision(3)} % of the multiply-add slots of the wafer`,
  ];
  return `${lines.join('\n')}\n`;
}
