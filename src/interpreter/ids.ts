// Numbers for what crosses by number: from 1 to 2³² − 1, then again from 1.

/** The number after `last` that is not in use. */
export function nextId(last: number, used: { has(id: number): boolean }): number {
  do last = last >= 0xffff_ffff ? 1 : last + 1; while (used.has(last));
  return last;
}
