// The user's conversion rules (`registerConverter`), highest priority first.
//
// They apply to this heap only; both lists are sorted when a rule is added.

/** JavaScript → Python, tried before the conversion table; its result is converted instead of the value. */
export interface EncodeRule {
  readonly priority: number;
  readonly matches: (value: object) => boolean;
  readonly toPy: (value: never) => unknown;
}

/** Python → JavaScript, for objects that stay a proxy in `toJs`. Returns the proxy itself where it does not apply. */
export interface CopyRule {
  readonly priority: number;
  readonly toJs: (proxy: unknown) => unknown;
}

/** This heap's rules. Only `addRule` changes the lists. */
export const rules = { encode: [] as EncodeRule[], copy: [] as CopyRule[] };

/** Adds a rule and returns a function that removes it. */
export function addRule<R extends { readonly priority: number }>(list: R[], rule: R): () => void {
  list.push(rule);
  list.sort((a, b) => b.priority - a.priority);
  return () => {
    const at = list.indexOf(rule);
    if (at >= 0) list.splice(at, 1);
  };
}
