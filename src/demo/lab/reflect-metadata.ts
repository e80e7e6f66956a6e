/**
 * The four functions of the Reflect metadata proposal that the injection container in @peculiar/x509 calls while it
 * loads. Import this module before @peculiar/x509. The full polyfill would be an additional dependency for this
 * purpose only.
 */
if (!('getMetadata' in Reflect)) Object.assign(Reflect, createMetadata());

function createMetadata(): object {
  const store = new WeakMap<object, Map<unknown, unknown>>();

  function getOwnMetadata(key: unknown, target: object): unknown {
    return store.get(target)?.get(key);
  }

  function getMetadata(key: unknown, target: object): unknown {
    let current: object | null = target;
    while (current !== null) {
      const found = getOwnMetadata(key, current);
      if (found !== undefined) return found;
      const next: unknown = Object.getPrototypeOf(current);
      current = typeof next === 'object' || typeof next === 'function' ? next : null;
    }
    return undefined;
  }

  function defineMetadata(key: unknown, value: unknown, target: object): void {
    const entries = store.get(target) ?? new Map<unknown, unknown>();
    entries.set(key, value);
    store.set(target, entries);
  }

  function metadata(key: unknown, value: unknown): (target: object) => void {
    return (target) => {
      defineMetadata(key, value, target);
    };
  }

  return { defineMetadata, getMetadata, getOwnMetadata, metadata };
}
