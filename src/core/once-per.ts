/**
 * Wraps a function so that its result is computed once per object and kept until the object is garbage-collected. Use
 * this for pure functions of immutable objects that are needed in every round, such as configured lists.
 */
export function oncePer<Key extends WeakKey, Value>(work: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const kept = known.get(key);
    if (kept !== undefined) return kept.value;
    const value = work(key);
    known.set(key, { value });
    return value;
  };
}
