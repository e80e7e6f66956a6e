/**
 * Updates relative times such as `5 min ago` and `in 18 s`.
 * @param {number} now the server's clock, in milliseconds
 */
export function updateDistances(now) {
  for (const time of document.querySelectorAll('time')) {
    if (time.dataset.distance === undefined) continue;
    const text = distanceText(Date.parse(time.dateTime), now);
    if (time.textContent !== text) time.textContent = text;
  }
}

/**
 * For example `5 min ago`, `in 18 s` or `now`. From one minute on, only whole minutes are shown, so that the text on a
 * page rarely changes. Also used by the server.
 * @param {number} at
 * @param {number} now
 * @returns {string}
 */
export function distanceText(at, now) {
  const span = Math.abs(at - now);
  if (span < 1_000) return 'now';
  const text = span < 60_000 ? `${String(Math.floor(span / 1_000))} s` : minutesText(Math.floor(span / 60_000));
  return at < now ? `${text} ago` : `in ${text}`;
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
