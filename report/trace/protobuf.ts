// The wire format of protocol buffers, as much of it as a trace needs: numbers, texts and messages within messages.
// https://protobuf.dev/programming-guides/encoding/

const VARINT = 0;
const LENGTH = 2;

const texts = new TextEncoder();

/** A message that grows field by field. */
export class Message {
  private bytes = new Uint8Array(128);
  length = 0;

  number(field: number, value: number): this {
    this.varint(field * 8 + VARINT);
    this.varint(value);
    return this;
  }

  text(field: number, value: string): this {
    return this.raw(field, texts.encode(value));
  }

  message(field: number, value: Message): this {
    return this.raw(field, value.written());
  }

  /** The bytes so far, good until the next field is added. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private raw(field: number, value: Uint8Array): this {
    this.varint(field * 8 + LENGTH);
    this.varint(value.length);
    this.room(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** Seven bits a byte, the lowest first; whole numbers from 0 up to 2^53. */
  private varint(value: number): void {
    this.room(10);
    let left = value;
    for (; left >= 128; left = Math.floor(left / 128)) this.bytes[this.length++] = (left % 128) + 128;
    this.bytes[this.length++] = left;
  }

  private room(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more));
    larger.set(this.written());
    this.bytes = larger;
  }
}
