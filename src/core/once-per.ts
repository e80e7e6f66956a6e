/**
 * The same function, but what it says of an object is worked out once and kept as long as that object. For pure
 * functions of objects that do not change and are asked about with every round: configured lists, parsed certificates.
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
