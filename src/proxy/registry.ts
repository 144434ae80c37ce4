// Which proxy stands for which Python object.
//
// The same object has the same proxy while one is alive; a proxy that is collected releases its reference.
import type { Reference } from "../interpreter/reference.ts";
import type { State } from "../values/proxy_state.ts";

const proxies = new Map<number, WeakRef<object>>();
const registry = new FinalizationRegistry<{ reference: Reference; weak: WeakRef<object> }>(({ reference, weak }) => {
  if (proxies.get(reference.address) === weak) proxies.delete(reference.address);
  reference.release();
});

/** The proxy of the object at this address that is alive. */
export function livingProxy(address: number): object | undefined {
  return proxies.get(address)?.deref();
}

/** Registers a proxy for its object until it is collected. */
export function rememberProxy(proxy: object, state: State): void {
  state.self = proxy;
  const weak = new WeakRef(proxy);
  proxies.set(state.reference.address, weak);
  registry.register(proxy, { reference: state.reference, weak }, state);
}

/** Unregisters a proxy whose object is released explicitly. */
export function forgetProxy(state: State): void {
  registry.unregister(state);
  proxies.delete(state.reference.address);
}
