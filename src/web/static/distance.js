/**
 * Brings `5 min ago` and `in 18 s` up to date.
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
 * In the words of page/time-text.ts.
 * @param {number} at
 * @param {number} now
 * @returns {string}
 */
export function distanceText(at, now) {
  if (Math.abs(at - now) < 1_000) return 'now';
  return at < now ? `${spanText(now - at)} ago` : `in ${spanText(at - now)}`;
}

/**
 * @param {number} span in milliseconds
 * @returns {string}
 */
function spanText(span) {
  const seconds = span / 1_000;
  if (seconds < 60) return `${String(Math.floor(seconds))} s`;
  if (seconds < 3_600) return `${String(Math.floor(seconds / 60))} min`;
  return seconds < 172_800 ? `${String(Math.floor(seconds / 3_600))} h` : `${String(Math.floor(seconds / 86_400))} d`;
}
