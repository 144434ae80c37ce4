// The user's own rules of conversion (`registerConverter`), the highest priority first.

/** JavaScript → Python, tried before the table: what it gives is converted instead. */
export interface EncodeRule {
  readonly priority: number;
  readonly matches: (value: object) => boolean;
  readonly toPy: (value: never) => unknown;
}

/** Python → JavaScript, for what stays a proxy in `toJs`; gives the proxy itself where it does not apply. */
export interface CopyRule {
  readonly priority: number;
  readonly toJs: (proxy: unknown) => unknown;
}

/** This heap's rules. Only `addRule` changes the lists. */
export const rules = { encode: [] as EncodeRule[], copy: [] as CopyRule[] };

/** Adds a rule; gives a function that removes it. */
export function addRule<R extends { readonly priority: number }>(list: R[], rule: R): () => void {
  list.push(rule);
  list.sort((a, b) => b.priority - a.priority);
  return () => {
    const at = list.indexOf(rule);
    if (at >= 0) list.splice(at, 1);
  };
}
