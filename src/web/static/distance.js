/**
 * Replaces times with distances such as `5 min ago`, and keeps them up to date. Paper shows the times.
 * @param {() => number} clock the server's clock, in milliseconds
 */
export function keepDistances(clock) {
  setInterval(() => {
    showDistances(document, clock());
  }, 1_000);
  addEventListener('beforeprint', () => {
    for (const time of timesIn(document)) time.textContent = time.dataset['time'] ?? time.textContent;
  });
  addEventListener('afterprint', () => {
    showDistances(document, clock());
  });
  showDistances(document, clock());
}

/**
 * @param {ParentNode} root
 * @param {number} now
 */
export function showDistances(root, now) {
  for (const time of timesIn(root)) {
    time.dataset['time'] ??= time.textContent ?? '';
    const at = Date.parse(time.dateTime);
    const distance = time.dataset['distance'] === 'age' ? spanText(Math.max(0, now - at)) : distanceText(at, now);
    const text = time.dataset['distance'] === '' ? distance : `${time.dataset['time']} (${distance})`;
    if (time.textContent !== text) time.textContent = text;
  }
}

/**
 * @param {ParentNode} root
 * @returns {readonly HTMLTimeElement[]}
 */
function timesIn(root) {
  return [...root.querySelectorAll('time')].filter(({ dataset }) => dataset['distance'] !== undefined);
}

/**
 * For example `5 min ago`, `in 18 s` or `now`. From one minute on, only whole minutes are shown, so that the text on a
 * page rarely changes.
 * @param {number} at
 * @param {number} now
 * @returns {string}
 */
export function distanceText(at, now) {
  const span = Math.abs(at - now);
  if (span < 1_000) return 'now';
  return at < now ? `${spanText(span)} ago` : `in ${spanText(span)}`;
}

/**
 * @param {number} span in milliseconds
 * @returns {string}
 */
function spanText(span) {
  return span < 60_000 ? `${String(Math.floor(span / 1_000))} s` : minutesText(Math.floor(span / 60_000));
}

/**
 * Returns the duration in its two largest units.
 * @param {number} minutes
 * @returns {string}
 */
function minutesText(minutes) {
  const parts = [
    { count: Math.floor(minutes / 1_440), unit: 'd' },
    { count: Math.floor(minutes / 60) % 24, unit: 'h' },
    { count: minutes % 60, unit: 'min' },
  ];
  const first = parts.findIndex(({ count }) => count > 0);
  const told = parts.slice(first, first + 2).filter(({ count }) => count > 0);
  return told.map(({ count, unit }) => `${String(count)} ${unit}`).join(' ');
}
