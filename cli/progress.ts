// Progress on stderr, only where it is a terminal: what is being done, how much of it, an estimate of the time left.

import type { Io } from './io.ts';

export interface Progress {
  readonly update: (done: number, total: number, label: string) => void;
  /** Takes the bar away; nothing happens if there is none. */
  readonly stop: () => void;
}

const silent: Progress = { update: () => undefined, stop: () => undefined };

const LONGEST_LABEL = 20;

export async function startProgress({ stderr }: Io): Promise<Progress> {
  if (!stderr.isTTY) return silent;
  const { SingleBar } = await import('cli-progress');
  const bar = new SingleBar({
    format: '{label} {bar} {value}/{total}, {eta_formatted} left',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
  });
  let total = 0;
  return {
    update: (done, of, label) => {
      const payload = { label: label.slice(0, LONGEST_LABEL).padEnd(LONGEST_LABEL) };
      // Another total is another phase, with a time of its own.
      if (of === total) bar.update(done, payload);
      else bar.start(of, done, payload);
      total = of;
    },
    stop: () => bar.stop(),
  };
}
