// `emulate train <plan>`: a whole training run, phase by phase: FLOPs, time on the wafer and on a GPU, energy.

import type { CommandModule } from 'yargs';
import type { Overrides } from '../../compiler/model/overrides.ts';
import { inputError } from '../../emulator/errors.ts';
import { cacheFor } from '../cache.ts';
import { coloursFor } from '../colours.ts';
import { checkDestination, STDOUT, writeTo } from '../destination.ts';
import { workersOf, workersOption } from '../flags.ts';
import type { Io } from '../io.ts';
import { startProgress } from '../progress.ts';

export interface TrainArguments {
  readonly plan: string;
  readonly sparsity: string | undefined;
  readonly machine: string | undefined;
  readonly gpu: string | undefined;
  readonly set: string | readonly string[] | undefined;
  readonly workers: string | undefined;
  readonly json: string | undefined;
  readonly csv: string | undefined;
  readonly color: boolean | undefined;
}

const NOTES = [
  'A step that several phases or stages have is run once. Times are those of whole steps: of each stage one is emulated and stands for all.',
  '--sparsity is that of phases that do not say their own.',
].join('\n\n');

export function trainCommand(io: Io): CommandModule<object, TrainArguments> {
  const text = { type: 'string', nargs: 1 } as const;
  return {
    command: 'train <plan>',
    describe: 'a whole training run: FLOPs, time and energy of each phase',
    builder: (yargs) =>
      yargs
        .positional('plan', { type: 'string', demandOption: true, describe: 'a plan file (emulate schema plan)' })
        .option('sparsity', { ...text, describe: 'share of zeros of phases that do not say, 0 to 1' })
        .option('machine', { ...text, describe: 'a preset (emulate list machines) or a machine file' })
        .option('gpu', { ...text, describe: 'the GPU to compare with (emulate list gpus)' })
        .option('set', { ...text, describe: 'path=value: any value of the plan but its phases; repeatable' })
        .option('workers', workersOption)
        .option('json', { ...text, describe: 'the report as JSON to a file; - is stdout, alone' })
        .option('csv', { ...text, describe: 'a line a stage as CSV to a file; - is stdout, alone' })
        .option('color', { type: 'boolean' })
        .example('$0 train examples/spdf-gpt3-xl.json', 'sparse pre-training, dense fine-tuning')
        .example('$0 train plan.json --sparsity 0 --set systems=4', 'dense, on four systems')
        .epilogue(NOTES),
    handler: (given) => train(given, io),
  };
}

async function train(given: TrainArguments, io: Io): Promise<void> {
  const { json, csv, color } = given;
  const workers = workersOf(given.workers);
  checkDestination('--json', json);
  checkDestination('--csv', csv);
  if (json === STDOUT && csv === STDOUT)
    throw inputError('--csv: stdout is for --json already; give one of them a file');
  const { loadPlan } = await import('../../plan/resolve.ts');
  const plan = loadPlan(given.plan, overridesOf(given));
  const { runPlan } = await import('../../plan/run.ts');
  const { planReport } = await import('../../plan/report.ts');
  const { planCsv } = await import('../../plan/tables.ts');
  const { planText } = await import('../../plan/terminal.ts');
  const { waferSteps } = await import('../../plan/step.ts');
  const { pooledTimer } = await import('../../run/timer.ts');
  const progress = await startProgress(io);
  const timer = pooledTimer(workers, io.signal);
  const from = performance.now();
  try {
    const result = await runPlan(plan, waferSteps({ timer, cache: cacheFor(io) }), { onProgress: progress.update });
    progress.stop();
    const report = planReport(result, { workers, wallSeconds: (performance.now() - from) / 1000 });
    if (json !== undefined) await writeTo(io, '--json', json, `${JSON.stringify(report, null, 2)}\n`);
    if (csv !== undefined) await writeTo(io, '--csv', csv, planCsv(report));
    if (json !== STDOUT && csv !== STDOUT)
      await io.stdout.write(planText(report, coloursFor(io.stdout, io.env, color)));
  } finally {
    progress.stop();
    await timer.close();
  }
}

function overridesOf({ sparsity, machine, gpu, set }: TrainArguments): Overrides {
  return { sparsity, machine, gpu, set: typeof set === 'string' ? [set] : set };
}
