/** Resolves after what else is due in this turn of the event loop: long work calls it now and then, and holds nothing up. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
