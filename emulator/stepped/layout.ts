// The words of the records of pipes, routes and mail, by name.
//
// The cycle loop takes these names out of the module once, `const { HEAD_READY } = layout`: what a file imports is looked
// up at each use, its own constants are folded into the code, and the loop runs a quarter faster (bench/stepped.ts).

/** Later than any cycle of a run. */
export const NEVER = 0x7fffffff;

/** Cycle from which the head entry of a pipe can be taken; NEVER where the pipe is empty. */
export const HEAD_READY = 0;
/** Cycle from which the next entry can be sent; NEVER where the pipe is full. */
export const TAIL_FREE = 1;
/** Cycle of the last push: a second one in the same cycle would be two wavelets on one link. */
export const PUSHED = 2;
/** Entries that are taken and sent next. */
export const HEAD = 3;
export const TAIL = 4;
/** The parts that take from the pipe and that send into it. */
export const CONSUMER = 5;
export const PRODUCER = 6;
export const HEADER_WORDS = 7;

/** Words of an entry: the cycle it is ready or, once taken, free; its 32 bits; its control bit; the entry after it. */
export const TIME = 0;
export const PAYLOAD = 1;
export const CONTROL = 2;
export const NEXT = 3;
export const ENTRY_WORDS = 4;

/** A route: the pipe it takes from, the ports it leaves by as a bit mask, its first target; the next route's ends them. */
export const ROUTE_PIPE = 0;
export const ROUTE_PORTS = 1;
export const ROUTE_TARGETS = 2;
export const ROUTE_WORDS = 3;
/** A target: its pipe and the latency to it. */
export const TARGET_PIPE = 0;
export const TARGET_LATENCY = 1;
export const TARGET_WORDS = 2;

/** Mail of a pipe between two bands: the cycle in which a wavelet was sent and what it is; the cycle in which one was taken. */
export const MAIL_SENT = 0;
export const MAIL_READY = 1;
export const MAIL_PAYLOAD = 2;
export const MAIL_CONTROL = 3;
export const MAIL_TAKEN = 4;
export const MAIL_WORDS = 5;
