// Which proxy stands for which Python object, while it lives.
//
// The one thing to know: the same object gives the same proxy, and a proxy that is collected gives its reference back.
import type { Reference } from "../interpreter/reference.ts";
import type { State } from "../values/proxy_state.ts";

const proxies = new Map<number, WeakRef<object>>();
const registry = new FinalizationRegistry<{ reference: Reference; weak: WeakRef<object> }>(({ reference, weak }) => {
  if (proxies.get(reference.address) === weak) proxies.delete(reference.address);
  reference.release();
});

/** The living proxy of the object at this address. */
export function livingProxy(address: number): object | undefined {
  return proxies.get(address)?.deref();
}

/** Remembers a proxy for its object, until it is collected. */
export function rememberProxy(proxy: object, state: State): void {
  state.self = proxy;
  const weak = new WeakRef(proxy);
  proxies.set(state.reference.address, weak);
  registry.register(proxy, { reference: state.reference, weak }, state);
}

/** Forgets a proxy whose object is given up explicitly. */
export function forgetProxy(state: State): void {
  registry.unregister(state);
  proxies.delete(state.reference.address);
}
