// Allocates the numbers by which values cross: 1 to 2³² − 1, then from 1 again.

/** The next number after `last` that is not in use. */
export function nextId(last: number, used: { has(id: number): boolean }): number {
  do last = last >= 0xffff_ffff ? 1 : last + 1; while (used.has(last));
  return last;
}
