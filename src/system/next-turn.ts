/**
 * Resolves after what else is due in this turn of the event loop: long work calls it now and then, and holds nothing
 * up.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Lets one caller go on in each turn, in the order of their calls: what waited for the same event does not act on it at
 * the same time.
 */
export function oneATurn(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(nextTurn);
    return last;
  };
}
