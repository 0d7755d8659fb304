// What the fullest PE holds, item by item, for each operator. Two bytes for fp16, four for fp32.

export interface MemoryItem {
  readonly what: string;
  readonly bytes: number;
}

export interface MemoryUse {
  /** The operator during which it is fullest. */
  readonly operator: string;
  readonly items: readonly MemoryItem[];
  readonly bytes: number;
  readonly sramBytes: number;
}
