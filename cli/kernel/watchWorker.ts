// The worker's side of what watches a kernel: a thread of its own, so that an interrupt is heard. Errors of ours go back as
// data.

import { type Failure, failureOf } from '../../run/failure.ts';
import { type Asked, watch, type Watched } from './watch.ts';

export default function run(asked: Asked): Watched | Failure {
  try {
    return watch(asked);
  } catch (error) {
    return failureOf(error);
  }
}
